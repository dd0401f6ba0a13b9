package examples

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestDataSetIsWhole checks what is embedded against the sums that the script
// which made it wrote, and every line's form.
func TestDataSetIsWhole(t *testing.T) {
	sums, err := os.Open("data/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	defer sums.Close()

	verse := regexp.MustCompile(`^\d+:\d+ \S`)
	books, verses := 0, 0
	for lines := bufio.NewScanner(sums); lines.Scan(); books++ {
		sum, file, found := strings.Cut(lines.Text(), "  ")
		if !found {
			t.Fatalf("malformed line in SHA256SUMS: %q", lines.Text())
		}
		text, err := fs.ReadFile(KJV(), path.Base(file))
		if err != nil {
			t.Fatal(err)
		}
		if digest := sha256.Sum256(text); hex.EncodeToString(digest[:]) != sum {
			t.Errorf("%s: sha256 is %x, SHA256SUMS says %s", file, digest, sum)
		}
		for line := range bytes.Lines(text) {
			verses++
			if !verse.Match(line) {
				t.Errorf("%s: not a verse: %q", file, line)
			}
		}
	}
	if books != 66 || verses != 31102 {
		t.Errorf("%d books and %d verses, want 66 and 31102", books, verses)
	}
	if embedded, err := fs.Glob(KJV(), "*"); err != nil || len(embedded) != books {
		t.Errorf("%d files embedded, want %d: %v", len(embedded), books, err)
	}
}
