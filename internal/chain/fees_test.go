package chain

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

func TestBumpedPricesBeatThePoolsTenth(t *testing.T) {
	for _, wei := range []int64{1, 2, 7, 8, 9, 10, 99, 1_000_000_007} {
		old := fees{big.NewInt(wei), big.NewInt(wei)}
		up := old.bumped(fees{big.NewInt(0), big.NewInt(0)})
		if up.tip.Int64()*10 < wei*11 || up.cap.Int64()*10 < wei*11 {
			t.Errorf("%d wei became tip %s, cap %s", wei, up.tip, up.cap)
		}
		if old.tip.Int64() != wei {
			t.Errorf("the old price changed to %s", old.tip)
		}
	}
	up := fees{big.NewInt(1), big.NewInt(1)}.bumped(fees{big.NewInt(50), big.NewInt(90)})
	if up.tip.Int64() != 50 || up.cap.Int64() != 90 {
		t.Errorf("below the going rate: %s, %s", up.tip, up.cap)
	}
}

func TestPriceLimits(t *testing.T) {
	going := fees{big.NewInt(1), big.NewInt(100)}
	if err := going.checkLimit(nil); err != nil {
		t.Error(err)
	}
	if err := going.checkLimit(big.NewInt(100)); err != nil {
		t.Error(err)
	}
	if err := going.checkLimit(big.NewInt(99)); err == nil || !strings.Contains(err.Error(), "limit of 99 wei") {
		t.Errorf("above the limit: %v", err)
	}
	if (fees{big.NewInt(9), big.NewInt(800)}).generous(going) || !(fees{big.NewInt(9), big.NewInt(801)}).generous(going) {
		t.Error("generous is more than eight times both prices")
	}
}

func TestGasMargin(t *testing.T) {
	const block = 30_000_000
	for estimate, want := range map[uint64]uint64{
		21_000:       26_250,
		evmTxGasCap:  evmTxGasCap,
		15_000_000:   evmTxGasCap,
		18_000_000:   22_500_000, // such a chain has no such cap
		29_000_000:   block,
		block:        block,
		block + 1000: block + 1000 + (block+1000)/4, // the node will say what is wrong
	} {
		if got := gasMargin(estimate, block); got != want {
			t.Errorf("gasMargin(%d) = %d, want %d", estimate, got, want)
		}
	}
}

// said is a JSON-RPC error as clients get it.
type said struct {
	code int
	msg  string
	data any
}

func (s said) Error() string  { return s.msg }
func (s said) ErrorCode() int { return s.code }
func (s said) ErrorData() any { return s.data }

func TestReverts(t *testing.T) {
	plain := errors.New("connection refused while reverting")
	if got := asRevert(plain); got != plain {
		t.Errorf("a lost connection became %v", got)
	}
	if asRevert(nil) != nil {
		t.Error("nil became an error")
	}
	reason := hexutil.MustDecode("0x08c379a0" + strings.Repeat("00", 31) + "20" + strings.Repeat("00", 31) + "02" + "6e6f" + strings.Repeat("00", 30))
	for want, err := range map[string]error{
		"reverted: no":                        said{3, "execution reverted: no", hexutil.Encode(reason)},
		"reverted with data 0xdeadbeef":       said{3, "x", "0xdeadbeef"},
		"reverted: execution reverted":        said{-32000, "execution reverted", nil},
		"reverted: vm error=[revert, no hex]": said{1, "vm error=[revert, no hex]", "no hex"},
	} {
		var r *RevertError
		if got := asRevert(fmt.Errorf("eth_call: %w", err)); !errors.As(got, &r) || got.Error() != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !isNullRound(said{12, "requested epoch was a null round (5)", nil}) || isNullRound(said{1, "rate limit", nil}) || isNullRound(plain) {
		t.Error("null rounds are not recognised")
	}
}
