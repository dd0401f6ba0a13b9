// This program exercises the host the way a Go program does. It prints what it
// finds; every engine must print the same.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"
)

func main() {
	fmt.Println("args", os.Args, "env", os.Environ())
	inputs()
	outputs()
	refused()
	start := time.Now()
	time.Sleep(time.Hour)
	fmt.Println("year", start.UTC().Year(), "slept", time.Since(start) > time.Hour && time.Since(start) < 2*time.Hour)
	var b [32]byte
	rand.Read(b[:])
	fmt.Printf("random %x\n", b)
	done := make(chan int)
	for i := range 3 {
		go func() { done <- i * i }()
	}
	sum := 0
	for range 3 {
		sum += <-done
	}
	fmt.Println("goroutines", sum)
	fmt.Fprintln(os.Stderr, "to stderr")
	os.Exit(3)
}

func inputs() {
	err := filepath.WalkDir("/inputs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			fmt.Println("in", path, err)
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Printf("in %s %d %x %v\n", path, len(b), sha256.Sum256(b), err)
		return err
	})
	check(err)
	f, err := os.Open("/inputs/big/data.bin")
	check(err)
	b := make([]byte, 16)
	_, err = f.ReadAt(b, 100_000)
	check(err)
	_, err = f.Seek(-4, io.SeekEnd)
	check(err)
	tail, err := io.ReadAll(f)
	fmt.Printf("at %x tail %x %v\n", b, tail, err)
	check(f.Close())
}

func outputs() {
	check(os.MkdirAll("/outputs/a/b/c", 0o755))
	check(os.WriteFile("/outputs/a/b/c/one.txt", []byte("one"), 0o644))
	check(os.WriteFile("/outputs/a/two.txt", bytes.Repeat([]byte("2"), 5000), 0o644))
	check(os.Rename("/outputs/a/b/c/one.txt", "/outputs/a/uno.txt"))
	check(os.Rename("/outputs/a/b", "/outputs/z"))
	check(os.Truncate("/outputs/a/two.txt", 10))
	f, err := os.OpenFile("/outputs/a/two.txt", os.O_APPEND|os.O_WRONLY, 0)
	check(err)
	_, err = f.WriteString("more")
	check(err)
	check(f.Close())
	for i := range 30 {
		check(os.WriteFile(fmt.Sprintf("/outputs/z/%02d", 29-i), []byte{byte(i)}, 0o644))
	}
	names, err := os.ReadDir("/outputs/z")
	check(err)
	check(os.RemoveAll("/outputs/z/c"))
	for _, n := range names[:10] {
		check(os.RemoveAll("/outputs/z/" + n.Name()))
	}
	f, err = os.Create("/outputs/sparse")
	check(err)
	_, err = f.WriteAt([]byte("end"), 10_000)
	check(err)
	info, err := f.Stat()
	check(err)
	fmt.Println("sparse", info.Size(), info.Mode(), info.ModTime().UTC())
	check(os.Mkdir("/outputs/empty", 0o755))
}

// refused lists what must fail, by the error that Go makes of the errno.
func refused() {
	var lines []string
	for name, err := range map[string]error{
		"write input":  os.WriteFile("/inputs/new", nil, 0o644),
		"remove input": os.Remove("/inputs/a.txt"),
		"escape":       stat("/outputs/../../etc/passwd"),
		"absolute":     stat("/etc/passwd"),
		"symlink":      os.Symlink("/etc/passwd", "/outputs/link"),
		"hard link":    os.Link("/outputs/sparse", "/outputs/hard"),
		"not empty":    os.Remove("/outputs/a"),
		"file as dir":  stat("/inputs/a.txt/x"),
		"into itself":  os.Rename("/outputs/a", "/outputs/a/a"),
		"quota":        os.WriteFile("/outputs/huge", make([]byte, 2<<20), 0o644),
	} {
		lines = append(lines, fmt.Sprintf("refused %s: %v %v", name, err != nil, errno(err)))
	}
	check(os.Remove("/outputs/huge")) // it has used up the quota, which stdout shares
	sort.Strings(lines)
	for _, l := range lines {
		fmt.Println(l)
	}
}

func stat(path string) error { _, err := os.Stat(path); return err }

func errno(err error) string {
	for err != nil && errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return fmt.Sprint(err)
}

func check(err error) {
	if err != nil {
		fmt.Println("unexpected:", err)
		os.Exit(1)
	}
}
