package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is the longest line accepted, in bytes.
const maxLine = 1 << 20

// verse matches the number that opens a line of a versed text.
var verse = regexp.MustCompile(`^\d+:\d+ `)

// query is one pattern to look for.
type query struct {
	pattern string
	match   *regexp.Regexp
}

func newQuery(pattern string, matchCase bool) (query, error) {
	flags := "(?i)"
	if matchCase {
		flags = ""
	}
	alone, err := regexp.Compile(flags + pattern)
	if err != nil {
		return query{}, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	if alone.MatchString("") {
		return query{}, fmt.Errorf("pattern %q matches the empty string and so every line", pattern)
	}
	whole, err := regexp.Compile(flags + `\b(?:` + pattern + `)\b`)
	if err != nil {
		return query{}, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return query{pattern, whole}, nil
}

// list writes the matches of every query in every text, query by query.
func list(texts fs.FS, c config, out io.Writer) (summary, error) {
	names, err := textNames(texts)
	if err != nil {
		return summary{}, fmt.Errorf("list %s: %w", c.inputs, err)
	}
	if len(names) == 0 {
		return summary{}, fmt.Errorf("no files below %s: name a directory with texts with -i, or give the job an input: %w", c.inputs, errUsage)
	}
	s := summary{Files: len(names)}
	for _, q := range c.queries {
		f := figures{Pattern: q.pattern, Files: []fileFigures{}}
		s.Lines = 0
		for _, name := range names {
			hits, lines, err := listFile(texts, name, q, c.context, out)
			if err != nil {
				return summary{}, err
			}
			s.Lines += lines
			if hits.Matches > 0 {
				f.Lines += hits.Lines
				f.Matches += hits.Matches
				f.Files = append(f.Files, hits)
			}
		}
		if _, err := fmt.Fprintf(out, "%s: %d matches on %d lines of %d files\n\n", q.pattern, f.Matches, f.Lines, len(f.Files)); err != nil {
			return summary{}, fmt.Errorf("write the listing: %w", err)
		}
		s.Patterns = append(s.Patterns, f)
	}
	return s, nil
}

// textNames returns the paths of all regular files, sorted.
func textNames(texts fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(texts, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// listFile writes the matches of q in one text. It returns their figures and the
// number of lines read.
func listFile(texts fs.FS, name string, q query, context int, out io.Writer) (fileFigures, int, error) {
	hits := fileFigures{Name: name}
	file, err := texts.Open(name)
	if err != nil {
		return hits, 0, fmt.Errorf("open a text: %w", err)
	}
	defer file.Close()

	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	number := 0
	for lines.Scan() {
		number++
		line := lines.Text()
		found := q.match.FindAllStringIndex(line, -1)
		if len(found) == 0 {
			continue
		}
		hits.Lines++
		hits.Matches += len(found)
		place, start := reference(name, line, number)
		for _, at := range found {
			left := line[min(start, at[0]):at[0]] // a match may lie in the verse number itself
			if err := writeHit(out, place, left, line[at[0]:at[1]], line[at[1]:], context); err != nil {
				return hits, number, fmt.Errorf("write the listing: %w", err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return hits, number, fmt.Errorf("read %s after line %d (lines may have %d bytes): %w", name, number, maxLine, err)
	}
	return hits, number, nil
}

// reference names a line the way its readers do, by verse ("01-genesis 1:1") or
// else by number ("notes:12"), and says where the line's text starts.
func reference(name, line string, number int) (place string, start int) {
	stem := strings.TrimSuffix(name, path.Ext(name))
	if v := verse.FindString(line); v != "" {
		return stem + " " + strings.TrimSpace(v), len(v)
	}
	return fmt.Sprintf("%s:%d", stem, number), 0
}

// writeHit writes one line of the listing; the matches stand below each other.
func writeHit(out io.Writer, place, left, match, right string, context int) error {
	left = printable(lastRunes(left, context))
	indent := strings.Repeat(" ", context-utf8.RuneCountInString(left))
	_, err := fmt.Fprintf(out, "%-26s %s%s[%s]%s\n", place, indent, left, printable(match), printable(firstRunes(right, context)))
	return err
}

func firstRunes(s string, n int) string {
	end := 0
	for ; n > 0 && end < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end]
}

func lastRunes(s string, n int) string {
	start := len(s)
	for ; n > 0 && start > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:start])
		start -= size
	}
	return s[start:]
}

// printable replaces what would move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
