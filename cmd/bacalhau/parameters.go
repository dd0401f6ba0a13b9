package main

import (
	"fmt"
	"io"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

const (
	// windowSuffix ends the names of the parameters that are times in seconds.
	windowSuffix = "Window"
	// checkRateParameter is a share in units of 2^-16.
	checkRateParameter = "minCheckRate"
)

// printParameters writes a market's parameters with their units.
func printParameters(w io.Writer, p protocol.Parameters) {
	t := newTable("PARAMETER", "VALUE")
	values := reflect.ValueOf(p)
	for i := range values.NumField() {
		name := values.Type().Field(i).Tag.Get("abi")
		t.row(name, formatParameter(name, values.Field(i).Interface()))
	}
	t.write(w)
}

func formatParameter(name string, value any) string {
	switch v := value.(type) {
	case *big.Int:
		return formatAmount(client.Wei{Int: v})
	case uint32:
		if strings.HasSuffix(name, windowSuffix) {
			return (time.Duration(v) * time.Second).String()
		}
	case uint16:
		if name == checkRateParameter {
			return formatRatio(uint64(v), 1<<16)
		}
	}
	return fmt.Sprint(value)
}

// setParameter reads one parameter as people write it: an amount, a time, a share, or a number.
func setParameter(p *protocol.Parameters, name, text string) error {
	values := reflect.ValueOf(p).Elem()
	var names []string
	for i := range values.NumField() {
		known := values.Type().Field(i).Tag.Get("abi")
		if known == name {
			return readParameter(name, text, values.Field(i))
		}
		names = append(names, known)
	}
	return fmt.Errorf("no such parameter; there are %s", strings.Join(names, ", "))
}

func readParameter(name, text string, into reflect.Value) error {
	switch v := into.Addr().Interface().(type) {
	case **big.Int:
		wei, err := parseAmount(text)
		if err == nil {
			*v = wei
		}
		return err
	case interface{ UnmarshalText([]byte) error }:
		return v.UnmarshalText([]byte(text))
	}
	n, err := strconv.ParseUint(text, 10, into.Type().Bits())
	switch {
	case strings.HasSuffix(name, windowSuffix):
		n, err = parseWindow(text)
	case name == checkRateParameter:
		var share float64
		if share, err = parseShare(text); err == nil {
			var units uint16
			units, err = protocol.CheckRate(share)
			n = uint64(units)
		}
	}
	if err != nil {
		return fmt.Errorf("%q is not a value of it: %w", text, err)
	}
	if into.OverflowUint(n) {
		return fmt.Errorf("%q is too large", text)
	}
	into.SetUint(n)
	return nil
}

// parseWindow reads a time as a number of whole seconds.
func parseWindow(text string) (uint64, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("give a time such as 24h or 90s")
	case d < time.Second || d%time.Second != 0:
		return 0, fmt.Errorf("it is not a whole number of seconds")
	}
	return uint64(d / time.Second), nil
}
