package data

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/ipfs/go-cid"
)

func TestMeasureFetchesTheRootOnly(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	const size = 5 << 20
	root := must(src.AddFile(ctx, bytes.NewReader(make([]byte, size))))(t)
	p := serve(t, src.Handler())
	f := &Fetcher{Store: dst, HTTP: local}
	claimed, here, err := f.Measure(ctx, root, []string{"http://127.0.0.1:1", p.URL})
	if err != nil || here || claimed < size || claimed > size+size/100 {
		t.Errorf("%d bytes, here %v, %v", claimed, here, err)
	}
	if cars, blocks := p.count("car"), p.count("raw"); cars != 0 || blocks != 1 {
		t.Errorf("%d CARs and %d blocks were asked for", cars, blocks)
	}
	if err := f.Within(1000).Fetch(ctx, root, []string{p.URL}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("fetched beyond the bound: %v", err)
	}
	if err := f.Within(0).Fetch(ctx, root, []string{p.URL}); err != nil {
		t.Fatal(err)
	}
	if again, here, err := f.Measure(ctx, root, nil); err != nil || !here || again != claimed {
		t.Errorf("then %d bytes, here %v, %v", again, here, err)
	}
}

// Some providers serve CARs only, and some of them whole DAGs only.
func TestProviderOfCARsOnly(t *testing.T) {
	ctx, src := t.Context(), open(t)
	const size = 5 << 20
	root := must(src.AddFile(ctx, bytes.NewReader(make([]byte, size))))(t)
	for name, whole := range map[string]bool{"scopes": false, "whole DAGs": true} {
		dst := open(t)
		var sent atomic.Int64
		p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if format(r) != "car" {
				http.Error(w, "CARs only", http.StatusNotAcceptable)
				return
			}
			if whole {
				r.URL.RawQuery = "format=car"
			}
			src.Handler().ServeHTTP(&tallied{w, &sent}, r)
		}))
		t.Cleanup(p.Close)
		f := &Fetcher{Store: dst, HTTP: local}
		claimed, here, err := f.Measure(ctx, root, []string{p.URL})
		if err != nil || here || claimed < size {
			t.Errorf("%s: %d bytes, here %v, %v", name, claimed, here, err)
		}
		if n := sent.Load(); !whole && n > 4096 {
			t.Errorf("%s: %d bytes for a root", name, n)
		}
		if err := f.Outline(ctx, []cid.Cid{root}, []string{p.URL}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Fetch(ctx, root, []string{p.URL}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if all, err := dst.Complete(ctx, root); err != nil || !all {
			t.Errorf("%s: complete %v, %v", name, all, err)
		}
	}
}

// tallied counts what is written of bodies.
type tallied struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (w *tallied) Write(b []byte) (int, error) {
	w.bytes.Add(int64(len(b)))
	return w.ResponseWriter.Write(b)
}

func TestMeasureWhatNobodyHas(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	p := serve(t, dst.Handler())
	var absent *NotFoundError
	_, _, err := (&Fetcher{Store: dst, HTTP: local}).Measure(ctx, root, []string{p.URL})
	if !errors.As(err, &absent) || len(absent.Tried) != 1 {
		t.Errorf("got %v", err)
	}
}
