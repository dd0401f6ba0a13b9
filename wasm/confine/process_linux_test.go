package confine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestChildrenYield: every thread of a child is nicer than the node.
func TestChildrenYield(t *testing.T) {
	c, err := open(t, "").nursery.take()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		c.kill()
		c.wait()
		c.clean()
	}()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", c.cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("%v, %d threads", err, len(threads))
	}
	want := min(nice(t, "/proc/self/stat")+niceness, 19)
	for _, thread := range threads {
		if have := nice(t, thread); have != want {
			t.Errorf("niceness %d, want %d", have, want)
		}
	}
}

// nice is the 19th field of a process's figures, of which the second is its name in parentheses.
func nice(t *testing.T, stat string) int {
	t.Helper()
	raw, err := os.ReadFile(stat)
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	value, err := strconv.Atoi(fields[16])
	if err != nil {
		t.Fatal(err)
	}
	return value
}
