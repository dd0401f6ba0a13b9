package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

const (
	outputTable = "table"
	outputJSON  = "json"
)

// print writes v as JSON if that was asked for, else what text writes.
func (a *app) print(v any, text func(io.Writer)) error {
	if a.output == outputJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	out := &errWriter{w: a.stdout}
	text(out)
	return out.err
}

// errWriter keeps the first error, so that those who print need not look at each.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) Write(p []byte) (int, error) {
	if e.err != nil {
		return len(p), nil
	}
	_, e.err = e.w.Write(p)
	return len(p), nil
}

// table is text in columns.
type table struct{ rows [][]string }

func newTable(header ...string) *table { return &table{[][]string{header}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		fmt.Fprintln(columns, strings.Join(row, "\t"))
	}
	columns.Flush()
}

// printable keeps what others chose, such as file names, from moving the cursor.
func printable(s string) string {
	quoted := strconv.Quote(s)
	if plain := quoted[1 : len(quoted)-1]; strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return plain
	}
	return s
}

// shortHash is how tables show ids; commands take it in place of the whole.
func shortHash(h common.Hash) string { return h.Hex()[:10] }

func shortAddress(a common.Address) string {
	if a == (common.Address{}) {
		return "-"
	}
	return a.Hex()[:10]
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// formatRatio is part in percent of whole, such as "103 %".
func formatRatio(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + " %"
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
