//go:build unix && !(cgo && (linux || darwin) && (amd64 || arm64))

package bench

var plainWasmtime []variant
