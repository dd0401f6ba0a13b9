package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/bacalhau/client"
)

// texts is a folder with files in folders.
func texts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, "one fish\n", dir, "a.txt")
	write(t, "two fish\n", dir, "deep", "b.txt")
	write(t, "red fish blue fish\n", dir, "deep_b.txt")
	write(t, "secret\n", dir, ".hidden")
	return dir
}

func TestRunOverAFolder(t *testing.T) {
	network(t)
	out := filepath.Join(t.TempDir(), "new", "out")
	got := bacalhau(t, "run", "--input", texts(t), "--out", out, "--output", "json", wordcountWasm)
	if got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	var report runReport
	decodeInto(t, got.stdout, &report)
	if report.Status != client.JobDone || report.Pieces != 1 || report.Out != out || report.Result == "" {
		t.Errorf("report is %+v", report)
	}
	files := read(t, out, "outputs", "files.tsv")
	for _, name := range []string{"a.txt", "deep/b.txt", "deep_b.txt"} {
		if !strings.Contains(files, name) {
			t.Errorf("the program saw %q, not %s", files, name)
		}
	}
	if strings.Contains(files, ".hidden") {
		t.Errorf("the program saw a hidden file: %q", files)
	}
	for _, line := range []string{"submitted: 1 piece", "done: 1 piece, 1 assigned, 1 committed, 1 delivered"} {
		if !strings.Contains(got.stderr, line) {
			t.Errorf("stderr lacks %q: %q", line, got.stderr)
		}
	}
}

func TestRunEachFile(t *testing.T) {
	network(t)
	out := filepath.Join(t.TempDir(), "out")
	got := bacalhau(t, "run", "-i", texts(t), "--hidden", "--each-file", "--out", out, wordcountWasm)
	if got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	for name, sees := range map[string]string{
		".hidden": ".hidden", "a.txt": "a.txt", "deep_b.txt": "deep/b.txt", "deep_b.txt~2": "deep_b.txt",
	} {
		files := read(t, out, "pieces", name, "outputs", "files.tsv")
		rows := strings.Split(strings.TrimSpace(files), "\n")
		if last := rows[len(rows)-1]; !strings.Contains(files, sees+"\t") || strings.Count(files, ".txt")+strings.Count(files, ".hidden") != 1 {
			t.Errorf("piece %s saw %q (last %q), want %s only", name, files, last, sees)
		}
	}
	if !strings.Contains(read(t, out, "stdout"), "fish") {
		t.Error("the merged stdout is not that of the pieces")
	}
	for _, says := range []string{"status   done", "outputs  " + out, "paid     4000 wei for work", ": 100.0 %"} {
		if !strings.Contains(got.stdout, says) {
			t.Errorf("stdout lacks %q: %q", says, got.stdout)
		}
	}
}

// TestRunOverCIDs looks into data that only the node has, also into a large file and a large directory.
func TestRunOverCIDs(t *testing.T) {
	node := network(t)
	dir := texts(t)
	write(t, strings.Repeat("many words in a large file ", 100_000), dir, "deep", "large.txt")
	for i := range 300 {
		write(t, "x", dir, "wide", strings.Repeat("long-name-", 20)+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	root, err := addPath(t, node.Store(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got := bacalhau(t, "run", "-i", "ipfs://"+root, "--each-file", "--detach", "-o", "json", wordcountWasm)
	if got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	var submitted client.Submitted
	decodeInto(t, got.stdout, &submitted)
	job, err := node.Job(t.Context(), submitted.ID)
	if err != nil {
		t.Fatal(err)
	}
	if job.Pieces != 304 {
		t.Errorf("the job has %d pieces, want one for each of 304 files", job.Pieces)
	}
	got = bacalhau(t, "run", "-i", root, "--out", filepath.Join(t.TempDir(), "out"), wordcountWasm)
	if got.code != exitOK || !strings.Contains(got.stdout, "done") {
		t.Errorf("got %+v", got)
	}
}

func TestRunOverURLAndModuleByCID(t *testing.T) {
	node := network(t)
	module, err := addPath(t, node.Store(), wordcountWasm)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	got := bacalhau(t, "run", "-i", "https://example.org/some/words.txt?x=1", "--out", out, module)
	if got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	if files := read(t, out, "outputs", "files.tsv"); !strings.Contains(files, "words.txt\t") {
		t.Errorf("the program saw %q, want words.txt", files)
	}
}

// TestFailedPieces: a program that fails says so in the exit code, and its outputs are there nevertheless.
func TestFailedPieces(t *testing.T) {
	network(t)
	t.Chdir(moduleDir(t))
	for _, test := range []struct {
		name string
		args []string
		says string
	}{
		{"own exit code", []string{"wordcount.wasm", "--", "-bogus"}, "1 of 1 piece failed: 0 (exit code 2)"},
		{"out of fuel", []string{"--fuel", "1k", "wordcount.wasm"}, "1 of 1 piece failed: 0 (out of fuel, raise --fuel)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := bacalhau(t, append([]string{"run", "-o", "json"}, test.args...)...)
			if got.code != exitWork || !strings.Contains(got.stderr, test.says) {
				t.Fatalf("got %+v, want %q", got, test.says)
			}
			var report runReport
			decodeInto(t, got.stdout, &report)
			if report.Out != defaultOut(report.ID) {
				t.Errorf("outputs are in %s, want %s", report.Out, defaultOut(report.ID))
			}
			read(t, report.Out, "stderr")
		})
	}
}

// moduleDir is an empty folder with the program in it.
func moduleDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, read(t, wordcountWasm), dir, "wordcount.wasm")
	return dir
}

// TestInterrupted: Ctrl-C ends the command and not the job.
func TestInterrupted(t *testing.T) {
	node := network(t)
	release := node.Hold()
	ended := make(chan ran)
	go func() { ended <- bacalhau(t, "run", wordcountWasm) }()
	for {
		jobs, err := node.Jobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) == 1 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	got := <-ended
	release()
	if got.code != exitInterrupted {
		t.Fatalf("got %+v, want exit code %d", got, exitInterrupted)
	}
	jobs, err := node.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short := shortHash(jobs[0].ID)
	if !strings.Contains(got.stderr, "interrupted") {
		t.Errorf("stderr is %q", got.stderr)
	}
	if strings.Contains(got.stderr, "submitted") && !strings.Contains(got.stderr, "`bacalhau get "+short+"` fetches its outputs later") {
		t.Errorf("stderr is %q, want what to do with job %s", got.stderr, short)
	}
	for {
		job, err := node.Job(t.Context(), jobs[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if job.Status.Ended() {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	out := filepath.Join(t.TempDir(), "out")
	if got := bacalhau(t, "get", short, "--out", out); got.code != exitOK {
		t.Errorf("got %+v", got)
	}
	read(t, out, "stdout")
}
