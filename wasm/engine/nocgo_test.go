//go:build !cgo

package engine

import (
	"strings"
	"testing"
)

func TestWithoutCgo(t *testing.T) {
	if _, err := New("wasmtime", nil, ""); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
		t.Error(err)
	}
	if Default() != "wazero" {
		t.Error(Default())
	}
}
