package data

import (
	"bytes"
	"errors"
	"testing"
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
