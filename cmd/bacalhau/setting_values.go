package main

import (
	"fmt"
	"log/slog"
	"math/big"
	"net/url"

	"github.com/ethereum/go-ethereum/common"
)

// addressValue is a setting that is an address, as pflag wants it.
type addressValue common.Address

func (v *addressValue) String() string {
	if *v == (addressValue{}) {
		return ""
	}
	return common.Address(*v).Hex()
}

func (v *addressValue) Type() string { return "address" }

func (v *addressValue) Set(s string) error {
	if s != "" && !common.IsHexAddress(s) {
		return fmt.Errorf("%q is not an address: it has 0x and 40 hexadecimal digits", s)
	}
	*v = addressValue(common.HexToAddress(s))
	return nil
}

// amountValue is a setting that is an amount of money; it keeps how it was written.
type amountValue struct {
	wei  *big.Int
	text string
}

// amountVar makes a setting of *wei, with a default.
func amountVar(wei *big.Int, text string) *amountValue {
	v := &amountValue{wei: wei}
	if err := v.Set(text); err != nil {
		panic(err) // a default of this program's own
	}
	return v
}

func (v *amountValue) String() string { return v.text }
func (v *amountValue) Type() string   { return "amount" }

func (v *amountValue) Set(s string) error {
	wei, err := parseAmount(s)
	if err != nil {
		return err
	}
	v.wei.Set(wei)
	v.text = s
	return nil
}

var logLevels = map[string]slog.Leveler{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

func checkAnnounced(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("announce: %q is not a URL such as http://node.example.org:4242", text)
	}
	return nil
}
