package node_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"sync"
	"testing"
)

// capture keeps what is logged, as JSON lines.
type capture struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(p)
}

func (c *capture) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(c, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

var ofExecution = regexp.MustCompile(`^(execute|judge|collect|deliver|commitResult|settle|verify|draw|commitVerification|settleVerified):`)

// check wants the ids in every line about an execution, and such lines of every kind that there must be.
func (c *capture) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	ran := map[float64]bool{}
	for line := range bytes.Lines(c.buf.Bytes()) {
		var l map[string]any
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		action, _ := l["action"].(string)
		if l["msg"] != "ran pieces" && !ofExecution.MatchString(action) && l["execution"] == nil {
			continue
		}
		for _, key := range []string{"node", "job", "execution"} {
			if id, ok := l[key].(string); !ok || id == "" {
				t.Errorf("a line of an execution has no %s: %s", key, line)
			}
		}
		if l["msg"] == "ran pieces" {
			seat, _ := l["seat"].(float64)
			ran[seat] = true
		}
	}
	if !ran[1] || !ran[2] {
		t.Errorf("the seats that ran and said so: %v, want 1 and 2", ran)
	}
}
