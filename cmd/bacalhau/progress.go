package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// redrawEvery keeps a line that changes all the time from costing time itself.
const redrawEvery = 100 * time.Millisecond

// progress tells a person what goes on: on a terminal in one line that is redrawn, elsewhere line by line. It has one
// user at a time.
type progress struct {
	w     io.Writer
	width int // columns of the terminal; 0 if there is none
	last  string
	drawn time.Time
}

func (a *app) progress() *progress {
	p := &progress{w: a.stderr}
	if f, ok := a.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.width = 80
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			p.width = width
		}
	}
	return p
}

// tick shows what changes all the time, on a terminal only.
func (p *progress) tick(format string, args ...any) {
	if p.width == 0 || time.Since(p.drawn) < redrawEvery {
		return
	}
	p.draw(fmt.Sprintf(format, args...))
}

// step shows where the work stands; the same again shows nothing.
func (p *progress) step(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	switch {
	case line == p.last:
	case p.width > 0:
		p.draw(line)
	default:
		fmt.Fprintln(p.w, line)
	}
	p.last = line
}

// note leaves a line standing.
func (p *progress) note(format string, args ...any) {
	p.clear()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// clear takes the redrawn line away.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.last = ""
}

func (p *progress) draw(line string) {
	if runes := []rune(line); len(runes) >= p.width {
		line = string(runes[:p.width-1])
	}
	fmt.Fprint(p.w, "\r\x1b[K", line)
	p.drawn = time.Now()
}

// meter counts the bytes that pass through a reader.
type meter struct {
	r    io.Reader
	done int64
	tell func(done int64)
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.done += int64(n)
	m.tell(m.done)
	return n, err
}
