// Command concordance lists where words stand in a collection of texts, each in
// its context, as the concordances printed at the back of books do.
//
//	concordance [-i DIR] [-o DIR] [-context RUNES] [-case] PATTERN...
//
// A PATTERN is a regular expression in Go's syntax that matches one or more
// whole words: "faith", "lov(e|eth)", "valley of \w+". The listing goes to
// standard output and its figures to summary.json in the output directory.
//
// Texts are read line by line, once per pattern, so memory does not grow with
// their size. Exit codes: 0 done, 1 a file cannot be read or written, 2 wrong usage.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// errUsage marks errors that a different command line would avoid.
var errUsage = errors.New("usage: concordance [-i DIR] [-o DIR] [-context RUNES] [-case] PATTERN [PATTERN ...], each a regular expression")

// config is the parsed command line.
type config struct {
	inputs, outputs string
	context         int // runes shown on either side of a match
	queries         []query
}

func main() {
	err := run(os.Args[1:], os.Stdout)
	switch {
	case err == nil:
		return
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "concordance:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "concordance:", err)
		os.Exit(1)
	}
}

// run writes the listing to out and the summary to the output directory.
func run(args []string, out io.Writer) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	s, err := list(os.DirFS(c.inputs), c, w)
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the listing: %w", err)
	}
	return s.write(filepath.Join(c.outputs, "summary.json"))
}

func parse(args []string) (config, error) {
	c := config{}
	matchCase := false
	flags := flag.NewFlagSet("concordance", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error carries the usage line
	flags.StringVar(&c.inputs, "i", "/inputs", "directory of texts")
	flags.StringVar(&c.outputs, "o", "/outputs", "directory for summary.json")
	flags.IntVar(&c.context, "context", 40, "runes shown on either side of a match")
	flags.BoolVar(&matchCase, "case", false, "tell capitals from small letters")
	if err := flags.Parse(args); err != nil {
		return c, fmt.Errorf("%w: %w", err, errUsage)
	}
	if c.context < 0 || c.context > 1000 {
		return c, fmt.Errorf("-context %d: want 0 to 1000 runes: %w", c.context, errUsage)
	}
	if flags.NArg() == 0 {
		return c, fmt.Errorf("no PATTERN given: %w", errUsage)
	}
	for _, pattern := range flags.Args() {
		q, err := newQuery(pattern, matchCase)
		if err != nil {
			return c, fmt.Errorf("%w: %w", err, errUsage)
		}
		c.queries = append(c.queries, q)
	}
	return c, nil
}

// summary is the content of summary.json.
type summary struct {
	Files    int       `json:"files"`
	Lines    int       `json:"lines"`
	Patterns []figures `json:"patterns"`
}

// figures counts what one pattern found.
type figures struct {
	Pattern string        `json:"pattern"`
	Lines   int           `json:"lines"`
	Matches int           `json:"matches"`
	Files   []fileFigures `json:"files"` // those with a match, in reading order
}

type fileFigures struct {
	Name    string `json:"name"`
	Lines   int    `json:"lines"`
	Matches int    `json:"matches"`
}

func (s summary) write(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the summary: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o666); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}
