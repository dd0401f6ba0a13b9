package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
)

const (
	typeCAR = "application/vnd.ipld.car"
	typeRaw = "application/vnd.ipld.raw"
	// maxDownloads bounds how many responses are written at one time. More
	// requests wait, up to queueTimeout.
	maxDownloads = 64
	queueTimeout = 10 * time.Second
	// pieceBytes are to be taken by a reader within pieceTimeout, or within
	// busyTimeout while no other download could begin.
	pieceBytes   = 64 << 10
	pieceTimeout = 30 * time.Second
	busyTimeout  = 2 * time.Second
)

// scope is how much of a DAG a CAR holds (IPIP-402).
type scope string

const (
	scopeAll    scope = "all"    // everything below
	scopeEntity scope = "entity" // a file, or a directory without what is in it
	scopeBlock  scope = "block"  // one block
)

// links returns the links of a block that are within the scope.
func (s scope) links(c cid.Cid, raw []byte) ([]cid.Cid, error) {
	links, err := linksOf(c, raw)
	if err != nil || s == scopeAll {
		return links, err
	}
	if s == scopeBlock {
		return nil, nil
	}
	n, err := decode(c, raw)
	if err != nil {
		return nil, err
	}
	switch n.kind {
	case fileNode:
		return links, nil
	case shardNode:
		return n.subshards()
	}
	return nil, nil
}

// Handler serves the store's blocks as a trustless gateway, GET and HEAD of
// /ipfs/{cid} with format=raw or format=car (and dag-scope or entity-bytes), or the same asked
// for by the Accept header. It serves what is in the store and nothing else: it
// never fetches, resolves names or interprets content.
func (s *Store) Handler() http.Handler {
	return s.handler(&gateway{
		store: s, slots: make(chan struct{}, maxDownloads), queue: queueTimeout, piece: pieceTimeout, busy: busyTimeout,
	})
}

func (s *Store) handler(g *gateway) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ipfs/{cid}", g.serve)
	mux.HandleFunc("GET /ipfs/{cid}/{path...}", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "paths below a CID are not served: ask for the CID of the file or directory", http.StatusBadRequest)
	})
	return mux
}

type gateway struct {
	store       *Store
	slots       chan struct{}
	queue       time.Duration
	piece, busy time.Duration
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 { // the server would wait for the body before it answers
		w.Header().Set("Connection", "close")
		http.Error(w, "a request for data has no body", http.StatusBadRequest)
		return
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-r.Context().Done():
		return
	case <-time.After(g.queue):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many downloads, try again later", http.StatusTooManyRequests)
		return
	}
	c, err := ParseCID(r.PathValue("cid"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch format(r) {
	case "raw":
		g.raw(w, r, c)
	case "car":
		g.car(w, r, c)
	default:
		http.Error(w, "only verifiable formats are served: ask for ?format=car or ?format=raw", http.StatusNotAcceptable)
	}
}

func format(r *http.Request) string {
	if f := r.URL.Query().Get("format"); f != "" {
		return f
	}
	accept := r.Header.Get("Accept")
	switch {
	case strings.Contains(accept, typeCAR):
		return "car"
	case strings.Contains(accept, typeRaw):
		return "raw"
	}
	return ""
}

func (g *gateway) raw(w http.ResponseWriter, r *http.Request, c cid.Cid) {
	b, err := g.store.block(r.Context(), c)
	if err != nil {
		fail(w, err)
		return
	}
	if head(w, r, typeRaw, fmt.Sprintf("%q", c.String()+".raw")) {
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b.RawData())))
	if r.Method == http.MethodGet {
		d := g.download(w)
		defer d.finish()
		_, _ = d.Write(b.RawData()) // a reader that left needs no answer
	}
}

func (g *gateway) car(w http.ResponseWriter, r *http.Request, c cid.Cid) {
	scope := scope(r.URL.Query().Get("dag-scope"))
	switch scope {
	case "":
		scope = scopeAll
	case scopeAll, scopeEntity, scopeBlock:
	default:
		http.Error(w, fmt.Sprintf("unknown dag-scope %q: use all, entity or block", scope), http.StatusBadRequest)
		return
	}
	export := func(out io.Writer) error { return g.store.exportCAR(r.Context(), c, out, scope) }
	tag := c.String() + "." + string(scope)
	if r.URL.Query().Has("entity-bytes") { // which asks for the scope entity too
		part, err := parseSpan(r.URL.Query().Get("entity-bytes"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		export = func(out io.Writer) error { return g.store.exportSpan(r.Context(), c, out, part) }
		tag = fmt.Sprintf("%s.%d-%d", c, part.first, part.last)
	}
	if _, err := g.store.block(r.Context(), c); err != nil {
		fail(w, err)
		return
	}
	if head(w, r, typeCAR+"; version=1; order=dfs; dups=n", fmt.Sprintf("W/%q", tag+".car")) || r.Method == http.MethodHead {
		return
	}
	d := g.download(w)
	defer d.finish()
	out := bufio.NewWriterSize(d, pieceBytes)
	err := export(out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the only way to tell the reader that this CAR is cut off
	}
}

// head writes the headers of a found CID and reports whether the answer ends
// there, because the client has it already.
func head(w http.ResponseWriter, r *http.Request, contentType, etag string) (done bool) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Etag", etag)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", "attachment")
	h.Set("Vary", "Accept")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	return false
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, ErrNotLocal) {
		status = http.StatusNotFound
	}
	http.Error(w, err.Error(), status)
}

// download writes a response piece by piece, and gives up on a reader that is too
// slow to take one.
type download struct {
	*gateway
	w       http.ResponseWriter
	control *http.ResponseController
}

func (g *gateway) download(w http.ResponseWriter) *download {
	return &download{g, w, http.NewResponseController(w)}
}

func (d *download) Write(p []byte) (written int, err error) {
	for piece := range slices.Chunk(p, pieceBytes) {
		patience := d.piece
		if len(d.slots) == cap(d.slots) {
			patience = d.busy
		}
		// Not every ResponseWriter has deadlines; those of real connections do.
		_ = d.control.SetWriteDeadline(time.Now().Add(patience))
		n, err := d.w.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// finish sends what is buffered and lifts the deadline, which would outlive the
// response on a connection that is used again. As in Write, errors are those of a
// reader that left or of a writer without deadlines.
func (d *download) finish() {
	_ = d.control.Flush()
	_ = d.control.SetWriteDeadline(time.Time{})
}
