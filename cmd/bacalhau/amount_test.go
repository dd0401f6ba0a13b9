package main

import (
	"math/big"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/client"
)

func TestAmounts(t *testing.T) {
	for _, test := range []struct{ text, wei, shown string }{
		{"0", "0", "0"},
		{"1", "1", "1 wei"},
		{"1000 wei", "1000", "1000 wei"},
		{"5gwei", "5000000000", "5 gwei"},
		{"0.001gwei", "1000000", "1000000 wei"},
		{"0.01GWEI", "10000000", "0.01 gwei"},
		{"0.1eth", "100000000000000000", "0.1 eth"},
		{"0.1 FIL", "100000000000000000", "0.1 eth"},
		{"2.50token", "2500000000000000000", "2.5 eth"},
		{"1.000000000000000001eth", "1000000000000000001", "1 eth"},
		{"1234567.891eth", "1234567891000000000000000", "1234570 eth"},
		{"0.0001eth", "100000000000000", "0.0001 eth"},
		{"0.00001eth", "10000000000000", "10000 gwei"},
	} {
		wei, err := parseAmount(test.text)
		if err != nil || wei.String() != test.wei {
			t.Errorf("%q is %v wei (%v), want %s", test.text, wei, err, test.wei)
			continue
		}
		if shown := formatAmount(client.Wei{Int: wei}); shown != test.shown {
			t.Errorf("%s wei are shown as %q, want %q", test.wei, shown, test.shown)
		}
	}
	for _, wrong := range []string{"", "-1", "+1", ".5eth", "1.eth", "1,5eth", "0x10", "1 2", "1e9", "one", "0.1", "79228162515eth"} {
		if wei, err := parseAmount(wrong); err == nil {
			t.Errorf("%q was read as %s wei", wrong, wei)
		}
	}
	if most, err := parseAmount(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 96), big.NewInt(1)).String()); err != nil {
		t.Errorf("2^96-1 wei: %v, %v", most, err)
	}
	if shown := formatAmount(client.Wei{}); shown != "0" {
		t.Errorf("no amount is shown as %q", shown)
	}
}

func TestSizesCountsAndShares(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "65536": 65536, "64KiB": 65536, "64 kib": 65536, "2GB": 2_000_000_000, "16777215TiB": 16777215 << 40,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("size %q is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, wrong := range []string{"", "-1", "1.5GiB", "16777216TiB", "99999999999999999999", "5 parsecs"} {
		if got, err := parseSize(wrong); err == nil {
			t.Errorf("size %q was read as %d", wrong, got)
		}
	}
	if got, err := parseCount("20G"); err != nil || got != 20_000_000_000 {
		t.Errorf("20G is %d (%v)", got, err)
	}
	for text, want := range map[string]float64{"0.03": 0.03, "3%": 0.03, "3 %": 0.03} {
		if got, err := parseShare(text); err != nil || got != want {
			t.Errorf("share %q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, wrong := range []string{"", "0", "1", "100%", "-3%", "NaN", "Inf", "few"} {
		if got, err := parseShare(wrong); err == nil {
			t.Errorf("share %q was read as %v", wrong, got)
		}
	}
}

func TestPieceNamesAreUniqueAndPlain(t *testing.T) {
	long := strings.Repeat("ä/", 200)
	names := pieceNames{}
	seen := map[string]string{}
	for _, path := range []string{"a/b", "a_b", "a/b~2", "a_b~2", "c", long + "1", long + "2", strings.Repeat("x", 255), strings.Repeat("x", 254) + "/"} {
		name := names.name(path)
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q are both named %q", path, other, name)
		}
		seen[name] = path
		if name == "" || len(name) > maxNameBytes || strings.ContainsAny(name, "/\x00") || strings.ToValidUTF8(name, "") != name {
			t.Errorf("%q is named %q", path, name)
		}
	}
}
