//go:build !cgo || !(linux || darwin) || !(amd64 || arm64)

package rewrite

import "testing"

func suiteWasmtime(testing.TB) []suiteEngine { return nil }
