package data

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
)

// A CAR for a range of bytes has what a reader of them needs, and no leaf more.
func TestEntityBytes(t *testing.T) {
	ctx, s := t.Context(), open(t)
	const mib = 1 << 20
	content := pattern(1, 5*mib+5)
	file := must(s.AddFile(ctx, bytes.NewReader(content)))(t)
	leaves := must(s.links(ctx, file, false))(t)
	base := serve(t, s.Handler()).URL + "/ipfs/"
	for _, c := range []struct {
		span   string
		leaves []cid.Cid
	}{
		{"0:*", leaves}, {"0:0", leaves[:1]}, {fmt.Sprintf("%d:%d", mib-1, mib), leaves[:2]},
		{fmt.Sprintf("%d:%d", mib, 2*mib-1), leaves[1:2]}, {"-5:*", leaves[5:]}, {"-6:-6", leaves[4:5]},
		{fmt.Sprintf("%d:*", 100*mib), nil}, {"-100000000:3", leaves[:1]},
		{fmt.Sprintf("%d:%d", math.MinInt64, math.MaxInt64), leaves}, {fmt.Sprintf("%d:%d", math.MaxInt64, math.MinInt64), nil},
		{fmt.Sprintf("0:%d", math.MinInt64), nil},
	} {
		resp, car := request(t, "GET", base+file.String()+"?format=car&entity-bytes="+c.span)
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %s: %s", c.span, resp.Status, car)
		}
		if got, want := carCIDs(t, car), append([]cid.Cid{file}, c.leaves...); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", c.span, got, want)
		}
		dst := open(t)
		missing := must(dst.ImportCAR(ctx, bytes.NewReader(car), file, Limits{}))(t)
		if want := len(leaves) - len(c.leaves); len(missing) != want {
			t.Errorf("%s: a client lacks %d blocks then, want %d", c.span, len(missing), want)
		}
	}
	root := sample(t, s)
	if _, car := request(t, "GET", base+root.String()+"?format=car&entity-bytes=0:9"); !slices.Equal(carCIDs(t, car), []cid.Cid{root}) {
		t.Error("of a directory, more than its block came")
	}
}
