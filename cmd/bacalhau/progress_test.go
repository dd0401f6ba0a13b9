package main

import (
	"strings"
	"testing"
)

// TestProgressOffATerminal: what a log file gets is whole lines, each once.
func TestProgressOffATerminal(t *testing.T) {
	var out strings.Builder
	p := &progress{w: &out}
	p.tick("%d bytes", 1)
	p.step("one")
	p.step("one")
	p.step("two")
	p.note("done: %s", "all")
	p.clear()
	if want := "one\ntwo\ndone: all\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

// TestProgressOnATerminal: one line is redrawn, never wraps, and is gone before anything else is written.
func TestProgressOnATerminal(t *testing.T) {
	const redraw = "\r\x1b[K"
	var out strings.Builder
	p := &progress{w: &out, width: 8}
	p.step("one")
	p.step("one")
	p.tick("too soon after the line before")
	p.step("längeres Wort")
	p.note("standing line")
	if want := redraw + "one" + redraw + "längere" + redraw + "standing line\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}
