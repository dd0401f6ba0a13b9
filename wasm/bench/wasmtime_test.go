//go:build cgo && (linux || darwin) && (amd64 || arm64)

package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// plainWasmtime is empty in builds without it.
var plainWasmtime = []variant{{"plain wasmtime", runWasmtime}}

func runWasmtime(s subject) (func() (run, error), error) {
	engine := wasmtime.NewEngine()
	module, err := wasmtime.NewModule(engine, s.module)
	if err != nil {
		return nil, err
	}
	linker := wasmtime.NewLinker(engine)
	if err := linker.DefineWasi(); err != nil {
		return nil, err
	}
	stdout := s.native + ".stdout"
	return func() (run, error) {
		config := wasmtime.NewWasiConfig()
		config.SetArgv(append([]string{"main"}, s.args()...))
		err := errors.Join(
			config.SetStdoutFile(stdout),
			config.PreopenDir(filepath.Dir(s.data), "/inputs", wasmtime.DIR_READ, wasmtime.FILE_READ))
		if err != nil {
			return run{}, err
		}
		before := cpuTime()
		store := wasmtime.NewStore(engine)
		store.SetWasi(config)
		instance, err := linker.Instantiate(store, module)
		if err == nil {
			_, err = instance.GetFunc(store, "_start").Call(store)
		}
		store.Close()
		used := cpuTime() - before
		var exit *wasmtime.Error
		if errors.As(err, &exit) {
			if status, ok := exit.ExitStatus(); ok && status == 0 {
				err = nil
			}
		}
		if err != nil {
			return run{}, fmt.Errorf("wasmtime: %w", err)
		}
		text, err := os.ReadFile(stdout)
		return run{cpu: used, stdout: string(text)}, err
	}, nil
}
