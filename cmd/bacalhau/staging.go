package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
)

// staging is a folder where data is prepared for the node, and verified when it comes from there.
type staging struct {
	dir      string
	store    *data.Store
	node     *client.Client
	progress *progress
	// providers may have what is named by CID.
	providers []string
}

func newStaging(node *client.Client, p *progress) (*staging, error) {
	dir, err := os.MkdirTemp("", "bacalhau-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to prepare data in: %w", err)
	}
	store, err := data.OpenStore(filepath.Join(dir, "store"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &staging{dir: dir, store: store, node: node, progress: p}, nil
}

func (s *staging) close() error {
	return errors.Join(s.store.Close(), os.RemoveAll(s.dir))
}

// staged is data whose structure is in the store: whole if it is from this machine, else its directories.
type staged struct {
	source string // as the user wrote it
	cid    cid.Cid
	name   string // what a file is called
	file   bool   // rather than a directory
	local  bool   // the node does not have it yet
}

// stage finds out what a path, CID or URL is. What is not on this machine is at the node afterwards, or at a provider.
func (s *staging) stage(ctx context.Context, source string, hidden bool) (staged, error) {
	if isURL(source) {
		return s.stageURL(ctx, source)
	}
	_, err := os.Lstat(source)
	if err == nil {
		return s.stagePath(ctx, source, hidden)
	}
	if c, notCID := data.ParseCID(source); notCID == nil {
		return s.stageCID(ctx, source, c)
	} else if strings.HasPrefix(source, "ipfs://") || strings.HasPrefix(source, "/ipfs/") {
		return staged{}, notCID
	}
	if strings.Contains(source, "://") {
		return staged{}, fmt.Errorf("%q: only http, https, s3 and ipfs URLs are read: download it first", source)
	}
	if errors.Is(err, os.ErrNotExist) {
		return staged{}, fmt.Errorf("%q is neither a file or folder here, nor a CID, nor a URL", source)
	}
	return staged{}, err
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || data.IsS3(s)
}

func (s *staging) stagePath(ctx context.Context, source string, hidden bool) (staged, error) {
	info, err := os.Stat(source)
	if err != nil {
		return staged{}, err
	}
	absolute, err := filepath.Abs(source)
	if err != nil {
		return staged{}, err
	}
	c, err := s.store.AddPath(ctx, source, data.AddOptions{Hidden: hidden, Progress: func(done int64) {
		s.progress.tick("reading %s: %s", source, formatSize(uint64(done)))
	}})
	if err != nil {
		return staged{}, fmt.Errorf("%s: %w", source, err)
	}
	return staged{source, c, filepath.Base(absolute), !info.IsDir(), true}, nil
}

func (s *staging) stageURL(ctx context.Context, source string) (staged, error) {
	u, err := url.Parse(source)
	if err != nil {
		return staged{}, err
	}
	s.progress.step("the node downloads %s", u.Redacted())
	imported, err := s.node.ImportURL(ctx, source)
	if err != nil {
		return staged{}, err
	}
	c, err := data.ParseCID(imported.CID)
	if err != nil {
		return staged{}, fmt.Errorf("%s: the node's answer makes no sense: %w", u.Redacted(), err)
	}
	if data.IsS3(source) && strings.HasSuffix(source, "/") {
		return staged{source: source, cid: c}, s.outline(ctx, c)
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" {
		name = u.Hostname()
	}
	return staged{source, c, name, true, false}, nil
}

func (s *staging) stageCID(ctx context.Context, source string, c cid.Cid) (staged, error) {
	if err := fetch(ctx, s.node.Outline, s.progress, c, s.providers); err != nil {
		return staged{}, err
	}
	if err := s.outline(ctx, c); err != nil {
		return staged{}, fmt.Errorf("look into %s: %w", c, err)
	}
	file, err := s.isFile(ctx, c)
	return staged{source, c, c.String(), file, false}, err
}

// fetch lets the node get a DAG, or its outline, from the network.
func fetch(
	ctx context.Context, get func(context.Context, string, []string) (client.Imported, error), p *progress, c cid.Cid, providers []string,
) error {
	p.step("the node looks for %s", c)
	_, err := get(ctx, c.String(), providers)
	var refused *client.APIError
	if errors.As(err, &refused) && refused.Code == client.CodeNotFound {
		// The node's answer tells what each of its peers said, which is more than one line and all the same.
		return fmt.Errorf("nobody on the network has %s: check the CID, name who has it with --provider, or give the data itself as a path or URL", c)
	}
	return err
}

// outline brings the directories of a DAG, which the node has, into the store, and of its files the first blocks, which
// say what they are.
func (s *staging) outline(ctx context.Context, root cid.Cid) error {
	queue := []cid.Cid{root}
	for len(queue) > 0 {
		c := queue[0]
		queue = queue[1:]
		if c.Prefix().Codec == cid.Raw {
			continue
		}
		block, err := s.node.Block(ctx, c.String())
		if err != nil {
			return err
		}
		children, err := s.store.ImportCAR(ctx, block, c, data.Limits{})
		if err := errors.Join(err, block.Close()); err != nil {
			return err
		}
		file, err := s.isFile(ctx, c)
		if err != nil {
			return err
		}
		if !file {
			queue = append(queue, children...)
		}
	}
	return nil
}

// isFile looks at the first block only.
func (s *staging) isFile(ctx context.Context, c cid.Cid) (bool, error) {
	if c.Prefix().Codec == cid.Raw {
		return true, nil
	}
	file := false
	looked := errors.New("looked")
	err := s.store.Walk(ctx, c, func(path string, _ data.Entry) error {
		file = path == "."
		return looked
	})
	if err == nil || err == looked || errors.Is(err, data.ErrNotLocal) {
		return file, nil
	}
	return false, err
}

// upload gives the node what is only here.
func (s *staging) upload(ctx context.Context, what staged) error {
	if !what.local {
		return nil
	}
	car, w := io.Pipe()
	exported := make(chan error, 1)
	go func() {
		err := s.store.ExportCAR(ctx, what.cid, w)
		w.CloseWithError(err)
		exported <- err
	}()
	counted := &meter{r: car, tell: func(done int64) {
		s.progress.tick("sending %s to the node: %s", what.source, formatSize(uint64(done)))
	}}
	_, err := s.node.Import(ctx, what.cid.String(), counted)
	car.CloseWithError(io.ErrClosedPipe) // ends the export if the node did not want all
	exportErr := <-exported
	switch {
	case err == nil:
		return nil
	case exportErr != nil && !errors.Is(exportErr, io.ErrClosedPipe):
		return fmt.Errorf("send %s: %w", what.source, exportErr)
	}
	return fmt.Errorf("send %s to the node: %w", what.source, err)
}

// download brings a whole DAG from the node, verified, and writes it to out, which does not exist.
func (s *staging) download(ctx context.Context, c cid.Cid, out string) error {
	fetcher := data.Fetcher{
		Store: s.store, HTTP: data.NewClient(data.ClientOptions{AllowPrivate: true}),
		Progress: func(done int64) { s.progress.tick("receiving %s", formatSize(uint64(done))) },
	}
	if err := fetcher.Fetch(ctx, c, []string{s.node.URL()}); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return s.store.Export(ctx, c, out)
}
