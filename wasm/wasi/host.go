package wasi

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds on what one guest may make the host keep.
const (
	maxDescriptors = 1024
	maxPathBytes   = 4096
	maxNameBytes   = 255
	maxDepth       = 64 // directories below /outputs
	maxVectors     = 1024
	maxPolls       = 1024
	nameOverhead   = 64 // bytes of quota that a file or directory costs besides its name
)

// Host is the world of one run. It is used by one goroutine at a time.
type Host struct {
	args, env []string
	inputs    *node
	outputs   *node
	fds       []*descriptor
	lastNode  uint64 // of inode numbers
	lastSeq   uint64 // of directory entries
	quota     uint64 // bytes left
	pages     *pages // of stdout, stderr and output files
	stdout    Content
	stderr    Content
	clock     uint64 // virtual nanoseconds since the start
	random    *rand.ChaCha8
	exit      uint32
	vectors   [][]byte // scratch of the current call
}

// New builds the world. It fails on input paths that are not clean relative
// slash paths, or of which one lies below another.
func New(c Config) (*Host, error) {
	h := &Host{args: c.Args, env: c.Env, quota: c.OutputBytes, random: rand.NewChaCha8(c.Seed)}
	h.pages = newPages(c.Spill, c.OutputBytes)
	h.stdout.pages, h.stderr.pages = h.pages, h.pages
	h.inputs, h.outputs = h.newDir(false), h.newDir(true)
	for _, path := range slices.Sorted(maps.Keys(c.Inputs)) {
		if err := h.addInput(path, c.Inputs[path]); err != nil {
			return nil, err
		}
	}
	h.fds = []*descriptor{
		{stream: stdin, rights: allRights}, {stream: stdout, rights: allRights}, {stream: stderr, rights: allRights},
		{node: h.inputs, preopen: "/inputs", rights: allRights, inheriting: allRights},
		{node: h.outputs, preopen: "/outputs", rights: allRights, inheriting: allRights},
	}
	return h, nil
}

func (h *Host) addInput(path string, f File) error {
	if !fs.ValidPath(path) || path == "." || strings.IndexByte(path, 0) >= 0 || len(path) > maxPathBytes {
		return fmt.Errorf("input path %q: want a relative slash path without \"..\" of at most %d bytes", path, maxPathBytes)
	}
	if f == nil || f.Size() < 0 {
		return fmt.Errorf("input %q: no file", path)
	}
	dir := h.inputs
	names := strings.Split(path, "/")
	for i, name := range names {
		if len(name) > maxNameBytes {
			return fmt.Errorf("input path %q: a name is longer than %d bytes", path, maxNameBytes)
		}
		next := dir.child(name)
		switch last := i == len(names)-1; {
		case next != nil && (last || !next.dir):
			return fmt.Errorf("input path %q: a part of it is a file as well", path)
		case last:
			n := h.newNode()
			n.input = f
			h.link(dir, name, n)
		case next == nil:
			next = h.newDir(false)
			h.link(dir, name, next)
		}
		dir = next
	}
	return nil
}

// ExitCode is what the guest gave to proc_exit, 0 before.
func (h *Host) ExitCode() uint32 { return h.exit }

// Stdout and Stderr are what the guest has written there.
func (h *Host) Stdout() *Content { return &h.stdout }
func (h *Host) Stderr() *Content { return &h.stderr }

// Outputs shows every file below /outputs, sorted by path. Directories without
// files below them are not part of the result.
func (h *Host) Outputs(yield func(path string, content *Content)) {
	files := map[string]*Content{}
	var walk func(prefix string, n *node)
	walk = func(prefix string, n *node) {
		for name, e := range n.children {
			if e.node.dir {
				walk(prefix+name+"/", e.node)
			} else {
				files[prefix+name] = &e.node.content
			}
		}
	}
	walk("", h.outputs)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		yield(path, files[path])
	}
}

// checkName says whether a path component may become a file's name.
func checkName(name string) error {
	switch {
	case len(name) > maxNameBytes:
		return Nametoolong
	case !utf8.ValidString(name):
		return Ilseq
	}
	return nil
}
