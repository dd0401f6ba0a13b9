package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/ipfs/go-cid"
)

// maxDepth bounds how deep directories may nest.
const maxDepth = 128

// Entry is one name in a directory.
type Entry struct {
	Name    string
	CID     cid.Cid
	Size    int64 // bytes of a file as its DAG claims (File checks it while reading); 0 for others
	Dir     bool
	Symlink bool // a link in foreign data; never followed
}

// List returns the entries of the directory c, sorted by name in byte order.
// Names that could not be a file name ("", ".", "..", with "/" or NUL) or that
// occur twice are an error.
func (s *Store) List(ctx context.Context, c cid.Cid) ([]Entry, error) {
	n, err := s.node(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.entries(ctx, n)
}

func (s *Store) entries(ctx context.Context, n *node) ([]Entry, error) {
	links, err := s.names(ctx, n)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(links))
	for _, l := range links {
		e, err := s.entry(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", l.name, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// name is one link of a directory, before its target has been looked at.
type name struct {
	name string
	cid  cid.Cid
	size uint64 // bytes of the target's DAG, as claimed
}

func (s *Store) entry(ctx context.Context, l name) (Entry, error) {
	e := Entry{Name: l.name, CID: l.cid}
	if isLeaf(l.cid, l.size) {
		e.Size = int64(l.size)
		return e, nil
	}
	n, err := s.node(ctx, l.cid)
	if err != nil {
		return e, err
	}
	e.Size, e.Dir, e.Symlink = n.size, n.isDir(), n.kind == symlinkNode
	return e, nil
}

// isLeaf reports whether a link is known to be to a file of one block: that is up to
// a MiB, too much to read for its length alone.
func isLeaf(c cid.Cid, claimed uint64) bool {
	return c.Prefix().Codec == cid.Raw && claimed <= maxBlockBytes
}

func (n *node) isDir() bool { return n.kind == dirNode || n.kind == shardNode }

// names returns the sorted and checked links of a directory, whole or sharded.
func (s *Store) names(ctx context.Context, n *node) ([]name, error) {
	if !n.isDir() {
		return nil, fmt.Errorf("%s is a %v, not a directory", n.cid, n.kind)
	}
	var all []name
	if n.kind == dirNode {
		for _, l := range n.links {
			all = append(all, name{l.Name, l.Cid, l.Size})
		}
	} else if err := s.shardNames(ctx, n, map[cid.Cid]bool{n.cid: true}, &all); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b name) int { return strings.Compare(a.name, b.name) })
	for i, l := range all {
		if err := checkName(l.name); err != nil {
			return nil, fmt.Errorf("directory %s: %w", n.cid, err)
		}
		if i > 0 && all[i-1].name == l.name {
			return nil, fmt.Errorf("directory %s has the name %q twice", n.cid, l.name)
		}
	}
	return all, nil
}

// shardNames collects the names of a sharded directory. No honest directory has
// a shard twice, so seen keeps a small hostile one from unfolding without end.
func (s *Store) shardNames(ctx context.Context, n *node, seen map[cid.Cid]bool, all *[]name) error {
	digits, err := n.slotDigits()
	if err != nil {
		return err
	}
	for _, l := range n.links {
		if len(l.Name) > digits {
			*all = append(*all, name{l.Name[digits:], l.Cid, l.Size})
		}
	}
	shards, err := n.subshards()
	if err != nil {
		return err
	}
	for _, c := range shards {
		if seen[c] {
			return fmt.Errorf("shard %s occurs twice in one directory", c)
		}
		seen[c] = true
		child, err := s.node(ctx, c)
		if err != nil {
			return err
		}
		if child.kind != shardNode {
			return fmt.Errorf("%s is a %v in the place of a directory shard", c, child.kind)
		}
		if err := s.shardNames(ctx, child, seen, all); err != nil {
			return err
		}
	}
	return nil
}

// slotDigits returns how many hexadecimal digits, the slot, begin the name of
// each link in a shard. An entry's name follows them; a link to another shard has
// no more.
func (n *node) slotDigits() (int, error) {
	if n.fanout == 0 {
		return 0, fmt.Errorf("shard %s has no fanout", n.cid)
	}
	return len(fmt.Sprintf("%X", n.fanout-1)), nil
}

// subshards returns the shards that a shard refers to.
func (n *node) subshards() ([]cid.Cid, error) {
	digits, err := n.slotDigits()
	if err != nil {
		return nil, err
	}
	var shards []cid.Cid
	for _, l := range n.links {
		switch {
		case len(l.Name) < digits:
			return nil, fmt.Errorf("shard %s has the malformed link %q", n.cid, l.Name)
		case len(l.Name) == digits:
			shards = append(shards, l.Cid)
		}
	}
	return shards, nil
}

// checkName accepts what can be one file name on disk and one path element.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%q cannot be a file name", name)
	}
	return nil
}

// Resolve follows the slash-separated path from the directory c and returns the
// CID it leads to. For a name that is not there the error is fs.ErrNotExist.
func (s *Store) Resolve(ctx context.Context, c cid.Cid, path string) (cid.Cid, error) {
	at := c
	for element := range strings.SplitSeq(path, "/") {
		if element == "" {
			continue
		}
		n, err := s.node(ctx, at)
		if err != nil {
			return cid.Undef, err
		}
		links, err := s.names(ctx, n)
		if err != nil {
			return cid.Undef, fmt.Errorf("resolve %q in %s: %w", path, c, err)
		}
		i, found := slices.BinarySearchFunc(links, element, func(l name, want string) int { return strings.Compare(l.name, want) })
		if !found {
			return cid.Undef, fmt.Errorf("resolve %q in %s: no %q: %w", path, c, element, fs.ErrNotExist)
		}
		at = links[i].cid
	}
	return at, nil
}

// Walk calls fn for every regular file under c, in byte order of the paths,
// which are slash-separated and relative to c. When c is itself a file, its path
// is ".". Symlinks are passed over. The first error of fn ends the walk.
func (s *Store) Walk(ctx context.Context, c cid.Cid, fn func(path string, e Entry) error) error {
	n, err := s.node(ctx, c)
	if err != nil {
		return err
	}
	if n.kind == fileNode {
		return fn(".", Entry{Name: ".", CID: c, Size: n.size})
	}
	return s.walk(ctx, n, "", maxDepth, fn)
}

func (s *Store) walk(ctx context.Context, n *node, prefix string, depth int, fn func(string, Entry) error) error {
	if depth == 0 {
		return errors.New("directories nest too deep")
	}
	entries, err := s.entries(ctx, n)
	if err != nil {
		return err
	}
	// With its slash, a directory sorts where the paths below it belong.
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.pathKey(), b.pathKey()) })
	for _, e := range entries {
		switch {
		case e.Symlink:
			continue
		case !e.Dir:
			err = fn(prefix+e.Name, e)
		default:
			var child *node
			if child, err = s.node(ctx, e.CID); err == nil {
				err = s.walk(ctx, child, prefix+e.Name+"/", depth-1, fn)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e Entry) pathKey() string {
	if e.Dir {
		return e.Name + "/"
	}
	return e.Name
}
