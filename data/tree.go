package data

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// Source is the content of one path for AddFiles: Bytes, Reader, At or Link.
type Source struct {
	reader io.Reader
	at     Sized // what reader reads, if it can be read again
	link   cid.Cid
}

// Sized is content that can be read anywhere and more than once.
type Sized interface {
	io.ReaderAt
	Size() int64 // bytes
}

// Bytes is a file with the given content.
func Bytes(b []byte) Source { return Source{reader: bytes.NewReader(b)} }

// Reader is a file with what r yields until io.EOF. It is read once.
func Reader(r io.Reader) Source { return Source{reader: r} }

// At is a file with the content of f. A Scratch does not copy it but reads it again, so it must not change.
func At(f Sized) Source { return Source{reader: io.NewSectionReader(f, 0, f.Size()), at: f} }

// Link is a file or directory that the store already has in full; nothing is
// copied.
func Link(c cid.Cid) Source { return Source{link: c} }

// AddFiles stores a directory tree and pins it. The keys are slash-separated
// paths such as "outputs/stdout"; without any, the directory is empty. Readers
// are read in the order of their paths.
func (s *Store) AddFiles(ctx context.Context, files map[string]Source) (cid.Cid, error) {
	root, err := newTree(files)
	if err != nil {
		return cid.Undef, fmt.Errorf("add: %w", err)
	}
	return s.add(ctx, nil, func(im *importer) (ipld.Node, error) { return im.tree(root) })
}

// tree is a directory to be built (children) or one of its leaves (source).
type tree struct {
	source   Source
	children map[string]*tree
}

func newTree(files map[string]Source) (*tree, error) {
	root := &tree{children: map[string]*tree{}}
	for path, source := range files {
		if source.reader == nil && !source.link.Defined() {
			return nil, fmt.Errorf("path %q has no content", path)
		}
		at := root
		elements := strings.Split(path, "/")
		for i, element := range elements {
			if err := checkName(element); err != nil {
				return nil, fmt.Errorf("path %q: %w", path, err)
			}
			last := i == len(elements)-1
			next := at.children[element]
			switch {
			case next == nil && last:
				next = &tree{source: source}
				at.children[element] = next
			case next == nil:
				next = &tree{children: map[string]*tree{}}
				at.children[element] = next
			case last || next.children == nil:
				return nil, fmt.Errorf("path %q would be both a file and a directory", strings.Join(elements[:i+1], "/"))
			}
			at = next
		}
	}
	return root, nil
}

func (im *importer) tree(t *tree) (ipld.Node, error) {
	if t.children == nil {
		return im.source(t.source)
	}
	dir, err := im.newDir()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(t.children))
	for name := range t.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child, err := im.tree(t.children[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := dir.AddChild(im.ctx, name, child); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return im.finish(dir)
}

func (im *importer) source(source Source) (ipld.Node, error) {
	switch lent := im.store.lent; {
	case source.at != nil && lent != nil:
		return im.file(source.reader, &borrower{DAGService: im.dag, lent: lent, from: source.at})
	case source.reader != nil:
		return im.file(source.reader, im.dag)
	}
	missing, err := im.store.missing(im.ctx, []cid.Cid{source.link}, false)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 { // the pin of the new tree would be a lie
		return nil, fmt.Errorf("link to %s: %w", source.link, notLocal(missing[0]))
	}
	return im.store.dag.Get(im.ctx, source.link)
}
