package market

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// forged is a chain on which some contracts have other code.
type forged struct {
	Coder
	code map[common.Address][]byte
}

func (f forged) Code(ctx context.Context, at common.Address) ([]byte, error) {
	if code, ok := f.code[at]; ok {
		return code, nil
	}
	return f.Coder.Code(ctx, at)
}

// TestRecognise tells the market from everything else that may stand at an address.
func TestRecognise(t *testing.T) {
	n := newNetwork(t)
	code, err := n.rpc.Code(t.Context(), n.market)
	if err != nil {
		t.Fatal(err)
	}
	if err := Recognise(t.Context(), n.rpc, n.market); err != nil {
		t.Fatal(err)
	}
	filled, _ := compareCode(Compiled().Market, code)
	parts := addressesOf(filled)
	if len(parts) != len(Compiled().Parts) {
		t.Fatalf("the market has the parts %v", parts)
	}
	changed := func(at common.Address, change func([]byte)) map[common.Address][]byte {
		code, err := n.rpc.Code(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		change(code)
		return map[common.Address][]byte{at: code}
	}
	flip := func(i int) func([]byte) { return func(code []byte) { code[(i+len(code))%len(code)] ^= 1 } }
	longer := changed(n.market, func([]byte) {})
	longer[n.market] = append(longer[n.market], 0)
	for name, test := range map[string]struct {
		at   common.Address
		code map[common.Address][]byte
		want string
	}{
		"nothing there":           {at: common.Address{1}, want: "there is no contract at"},
		"a part":                  {at: parts[0], want: "is not the market"},
		"its first byte differs":  {code: changed(n.market, flip(0)), want: "is not the market"},
		"its last byte differs":   {code: changed(n.market, flip(-1)), want: "is not the market"},
		"it is longer":            {code: longer, want: "is not the market"},
		"its first half":          {code: map[common.Address][]byte{n.market: code[:len(code)/2]}, want: "is not the market"},
		"a part differs":          {code: changed(parts[1], flip(-1)), want: "does not know"},
		"a part is missing":       {code: map[common.Address][]byte{parts[2]: nil}, want: "does not know"},
		"one part stands for all": {code: standIn(t, n, parts), want: "does not know"},
		"a part is elsewhere":     {at: common.Address{0xaa}, code: replaced(code, filled, parts[0], common.Address{0xbb}), want: "does not know"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.at == (common.Address{}) {
				test.at = n.market
			}
			err := Recognise(t.Context(), forged{n.rpc, maps.Clone(test.code)}, test.at)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
}

func standIn(t *testing.T, n *network, parts []common.Address) map[common.Address][]byte {
	t.Helper()
	code, err := n.rpc.Code(t.Context(), parts[0])
	if err != nil {
		t.Fatal(err)
	}
	return map[common.Address][]byte{parts[1]: code, parts[2]: code}
}

// replaced is a market that runs another's code for a part of its own, and has the part's address where it does no harm.
func replaced(code []byte, filled []common.Hash, part, other common.Address) map[common.Address][]byte {
	parameters := filled[slices.IndexFunc(filled, func(w common.Hash) bool { return w[0] != 0 })]
	word := common.BytesToHash(part[:])
	code = bytes.ReplaceAll(code, word[:], common.BytesToHash(other[:]).Bytes())
	return map[common.Address][]byte{{0xaa}: bytes.ReplaceAll(code, parameters[:], word[:]), other: {0}}
}

// TestBirth finds the block that made a contract.
func TestBirth(t *testing.T) {
	n := newNetwork(t)
	if block, err := n.rpc.Birth(t.Context(), n.market); err != nil || block != n.start {
		t.Errorf("the market was made in block %d, %v; found %d", n.start, err, block)
	}
}
