package main

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/filecoin-project/bacalhau/client"
)

// The chain's own token has 18 decimals everywhere; its name is eth on Ethereum and fil on Filecoin.
var weiDigits = map[string]int{"": 0, "wei": 0, "gwei": 9, "eth": 18, "fil": 18, "token": 18}

// maxWeiBits bounds amounts: the contract holds less than 2^96 wei.
const maxWeiBits = 96

var amountForm = regexp.MustCompile(`^([0-9]+)(?:\.([0-9]+))?\s*([a-z]*)$`)

// parseAmount reads an amount of money, in wei unless it names a unit: 1000, 5gwei, 0.1eth.
func parseAmount(s string) (*big.Int, error) {
	parts := amountForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s)))
	if parts == nil {
		return nil, fmt.Errorf("%q is not an amount: give wei, or a number and a unit such as 5gwei or 0.1eth", s)
	}
	whole, fraction := parts[1], strings.TrimRight(parts[2], "0")
	digits, ok := weiDigits[parts[3]]
	if !ok {
		return nil, fmt.Errorf("%q has the unknown unit %q: use wei, gwei or eth (also called fil or token)", s, parts[3])
	}
	if len(fraction) > digits {
		return nil, fmt.Errorf("%q is not a whole number of wei", s)
	}
	wei, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10)
	if wei.BitLen() > maxWeiBits {
		return nil, fmt.Errorf("%q is more money than the contract can hold", s)
	}
	return wei, nil
}

// formatAmount shows wei in the unit that suits people, to six digits; what parseAmount reads back is rounded to them.
func formatAmount(w client.Wei) string {
	if w.Int == nil || w.Sign() == 0 {
		return "0"
	}
	for _, unit := range []struct {
		name   string
		digits int
		from   int // decimal digits of an amount that is shown in this unit
	}{{"eth", 18, 14}, {"gwei", 9, 7}} {
		if len(w.String()) > unit.from {
			scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(unit.digits)), nil)
			value, _ := new(big.Rat).SetFrac(w.Int, scale).Float64()
			return strconv.FormatFloat(roundTo(value, 6), 'f', -1, 64) + " " + unit.name
		}
	}
	return w.String() + " wei"
}

func roundTo(v float64, digits int) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v
	}
	return rounded
}

var (
	sizeForm  = regexp.MustCompile(`^([0-9]+)\s*([a-zA-Z]*)$`)
	sizeUnits = map[string]uint64{
		"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
		"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	}
	countUnits = map[string]uint64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
)

// parseSize reads a number of bytes: 65536, 64MiB, 2GB.
func parseSize(s string) (uint64, error) {
	return parseScaled(s, sizeUnits, "a size: give bytes, or a number and a unit such as 64MiB")
}

// parseCount reads a large number: 5000000, 5M, 20G.
func parseCount(s string) (uint64, error) {
	return parseScaled(s, countUnits, "a number: give digits, or a number and k, M, G or T, such as 20G")
}

func parseScaled(s string, units map[string]uint64, want string) (uint64, error) {
	parts := sizeForm.FindStringSubmatch(strings.TrimSpace(s))
	if parts == nil {
		return 0, fmt.Errorf("%q is not %s", s, want)
	}
	unit, known := units[strings.ToLower(parts[2])]
	n, err := strconv.ParseUint(parts[1], 10, 64)
	if !known || err != nil || n > (1<<64-1)/unit {
		return 0, fmt.Errorf("%q is not %s", s, want)
	}
	return n * unit, nil
}

// parseShare reads a share from 0 to 1: 0.03 or 3%.
func parseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v < 1) {
		return 0, fmt.Errorf("%q is not a share between 0 and 1: give one such as 0.03 or 3%%", s)
	}
	return v, nil
}

// formatSize shows bytes.
func formatSize(n uint64) string {
	for _, unit := range []struct {
		name string
		size uint64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.size {
			return strconv.FormatFloat(float64(n)/float64(unit.size), 'f', 1, 64) + " " + unit.name
		}
	}
	return strconv.FormatUint(n, 10) + " B"
}

// formatCount shows a large number with its thousands apart.
func formatCount(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
