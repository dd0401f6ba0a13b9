package main

import (
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/pflag"
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

// written is a setting that keeps how it was written, as pflag wants it.
type written[T any] struct {
	into  *T
	parse func(string) (T, error)
	kind  string
	text  string
}

// newWritten makes a setting of *into, with a default.
func newWritten[T any](into *T, kind, text string, parse func(string) (T, error)) *written[T] {
	v := &written[T]{into: into, parse: parse, kind: kind}
	if err := v.Set(text); err != nil {
		panic(err) // a default of this program's own
	}
	return v
}

func (v *written[T]) String() string { return v.text }
func (v *written[T]) Type() string   { return v.kind }

func (v *written[T]) Set(s string) error {
	value, err := v.parse(s)
	if err == nil {
		*v.into, v.text = value, s
	}
	return err
}

func amountVar(wei **big.Int, text string) pflag.Value {
	return newWritten(wei, "amount", text, parseAmount)
}

func sizeVar(bytes *uint64, text string) pflag.Value {
	return newWritten(bytes, "size", text, parseSize)
}

func countVar(n *uint64, text string) pflag.Value {
	return newWritten(n, "number", text, parseCount)
}

func addressesVar(list *[]common.Address) pflag.Value {
	return newWritten(list, "addresses", "", parseAddresses)
}

// parseAddresses reads addresses with commas between; nothing is none.
func parseAddresses(s string) (list []common.Address, err error) {
	for text := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		var one addressValue
		if err := one.Set(text); err != nil {
			return nil, err
		}
		list = append(list, common.Address(one))
	}
	return list, nil
}

var logLevels = map[string]slog.Leveler{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

func checkAddress(name, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%s: %q is not an address such as 127.0.0.1:1234: %w", name, address, err)
	}
	return nil
}

func checkAnnounced(text string) error {
	if !isWebURL(text) {
		return fmt.Errorf("announce: %q is not a URL such as http://node.example.org:4242", text)
	}
	return nil
}

func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
