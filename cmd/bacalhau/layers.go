package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const (
	configFile = "config.yaml"
	// originDefault is where a value comes from that nobody has set.
	originDefault = "default"
)

// layers are the settings with where each of them comes from.
type layers struct {
	settings
	flags  *pflag.FlagSet
	origin map[string]string // by name
}

func newLayers() *layers {
	l := &layers{flags: pflag.NewFlagSet("settings", pflag.ContinueOnError), origin: map[string]string{}}
	l.register(l.flags)
	l.flags.SortFlags = false
	return l
}

// envOf is the environment variable of a setting.
func envOf(name string) string {
	return "BACALHAU_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// load fills in what the command line has left alone: from the environment, then from the file in the data folder.
func (l *layers) load(dir string) error {
	l.flags.VisitAll(func(f *pflag.Flag) {
		l.origin[f.Name] = originDefault
		if f.Changed {
			l.origin[f.Name] = "--" + f.Name
		}
	})
	var errs []error
	l.flags.VisitAll(func(f *pflag.Flag) {
		if value := os.Getenv(envOf(f.Name)); value != "" && l.origin[f.Name] == originDefault {
			errs = append(errs, l.set(f, value, envOf(f.Name)))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return l.loadFile(filepath.Join(dir, configFile))
}

func (l *layers) set(f *pflag.Flag, value, origin string) error {
	if err := f.Value.Set(value); err != nil {
		return usageError{fmt.Errorf("%s: %w", origin, err)}
	}
	l.origin[f.Name] = origin
	return nil
}

// loadFile reads a mapping of names to plain values; a file that does not exist says nothing.
func (l *layers) loadFile(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return usageError{fmt.Errorf("%s: %w", path, err)}
	}
	if len(doc.Content) == 0 {
		return nil // comments only
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return badUsage("%s:%d: not a list of `name: value`", path, root.Line)
	}
	seen := map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		at := fmt.Sprintf("%s:%d", path, key.Line)
		f := l.flags.Lookup(key.Value)
		switch {
		case f == nil:
			return badUsage("%s: there is no setting %q; did you mean %q? (see `bacalhau config`)", at, key.Value, l.nearest(key.Value))
		case seen[key.Value]:
			return badUsage("%s: %s is set a second time", at, key.Value)
		case value.Kind != yaml.ScalarNode:
			return badUsage("%s: %s takes one plain value", at, key.Value)
		}
		seen[key.Value] = true
		if l.origin[f.Name] != originDefault {
			continue
		}
		if err := l.set(f, value.Value, at); err != nil {
			return err
		}
	}
	return nil
}

// nearest is the setting whose name is most like a misspelt one.
func (l *layers) nearest(name string) (best string) {
	least := -1
	l.flags.VisitAll(func(f *pflag.Flag) {
		if d := editDistance(strings.ToLower(name), f.Name); least < 0 || d < least {
			least, best = d, f.Name
		}
	})
	return best
}

// editDistance is the number of letters to insert, delete or exchange to get from a to b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			exchange := diagonal
			if a[i] != b[j] {
				exchange++
			}
			diagonal = row[j+1]
			row[j+1] = min(exchange, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
