package data

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/ipfs/go-cid"
)

// The test binary is its own victim: with this variable it adds trees to a store,
// printing each CID that was acknowledged, until it is killed.
const victimDir = "DATA_TEST_VICTIM_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		if err := victim(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func victim(dir string) error {
	s, err := OpenStore(dir)
	if err != nil {
		return err
	}
	round, err := strconv.Atoi(os.Getenv("DATA_TEST_ROUND"))
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		root, err := s.AddFiles(context.Background(), map[string]Source{
			"big":    Bytes(pattern(byte(round), 1<<20+i)),
			"number": Bytes(fmt.Appendf(nil, "%d %d", round, i)),
		})
		if err != nil {
			return err
		}
		fmt.Println(root)
	}
}

// Killed without warning, again and again, a store loses nothing that it has
// acknowledged.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []cid.Cid
	for round := range 5 {
		acknowledged = append(acknowledged, killAfter(t, dir, round, 3+4*round)...)
		s := must(OpenStore(dir))(t)
		for _, c := range acknowledged {
			if err := s.Verify(t.Context(), c); err != nil {
				t.Error(err)
			}
			if pinned := must(s.Pinned(t.Context(), c))(t); !pinned {
				t.Errorf("%s is not pinned", c)
			}
		}
		for _, c := range must(s.Pins(t.Context()))(t) { // also those just not acknowledged
			if err := s.Verify(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter starts a victim and kills it once it has acknowledged n trees.
func killAfter(t *testing.T, dir string, round, n int) (acknowledged []cid.Cid) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir, "DATA_TEST_ROUND="+strconv.Itoa(round))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out := must(cmd.StdoutPipe())(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		c, err := cid.Decode(lines.Text())
		if err != nil {
			t.Fatalf("victim says %q", lines.Text())
		}
		if acknowledged = append(acknowledged, c); len(acknowledged) == n {
			if _, err := OpenStore(dir); !errors.Is(err, ErrInUse) {
				t.Errorf("while another process has it open: got %v, want ErrInUse", err)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed; what counts is what it said
	if len(acknowledged) < n {
		t.Fatalf("victim stopped after %d trees: %s", len(acknowledged), stderr.String())
	}
	return acknowledged
}
