//go:build cgo && (linux || darwin) && (amd64 || arm64)

package engine

// #include <stdlib.h>
// #include "wasmtime_shim.h"
import "C"

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/cgo"
	"sync"
	"unsafe"

	// Imported for the library that it links.
	_ "github.com/bytecodealliance/wasmtime-go/v39"
)

func init() { makers["wasmtime"] = newWasmtime }

// wasmtimeEngine owns a C engine and a linker that has the host functions.
type wasmtimeEngine struct {
	funcs      []Func
	fuelExport string
	engine     *C.wasm_engine_t
	linker     *C.wasmtime_linker_t
}

type wasmtimeProgram struct {
	engine *wasmtimeEngine
	module *C.wasmtime_module_t
	pre    *C.wasmtime_instance_pre_t
	once   sync.Once
}

// wasmtimeRun is the Go side of a run, reached through a handle.
type wasmtimeRun struct {
	host  Host
	funcs []Func
	stop  bool
}

func newWasmtime(funcs []Func, fuelExport string) (Engine, error) {
	e := &wasmtimeEngine{funcs: funcs, fuelExport: fuelExport}
	e.engine = C.bacalhau_engine_new(StackBytes)
	e.linker = C.wasmtime_linker_new(e.engine)
	for i, f := range funcs {
		err := C.bacalhau_define(e.linker, C.uintptr_t(i), chars(f.Module), C.size_t(len(f.Module)), chars(f.Name), C.size_t(len(f.Name)),
			chars(f.Params), C.size_t(len(f.Params)), C.size_t(len(f.Results)))
		if err != nil {
			e.Close()
			return nil, fmt.Errorf("wasmtime: host function %s: %w", f.Name, errorText(err))
		}
	}
	return e, nil
}

// chars points at the bytes of a string for the length of one C call.
func chars(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }

func errorText(e *C.wasmtime_error_t) error {
	var text C.wasm_byte_vec_t
	C.wasmtime_error_message(e, &text)
	C.wasmtime_error_delete(e)
	return takeText(&text)
}

func takeText(text *C.wasm_byte_vec_t) error {
	s := C.GoStringN(text.data, C.int(text.size))
	C.wasm_byte_vec_delete(text)
	return errors.New(s)
}

func (e *wasmtimeEngine) Name() string { return "wasmtime" }

// Pauses is false: while C runs, Go does not wait for it.
func (e *wasmtimeEngine) Pauses() bool { return false }

func (e *wasmtimeEngine) Close() error {
	C.wasmtime_linker_delete(e.linker)
	C.wasm_engine_delete(e.engine)
	return nil
}

func (e *wasmtimeEngine) Compile(_ context.Context, wasm []byte) (Program, error) {
	if len(wasm) == 0 {
		return nil, errors.New("wasmtime: compile: empty module")
	}
	p := &wasmtimeProgram{engine: e}
	if err := C.wasmtime_module_new(e.engine, (*C.uint8_t)(unsafe.SliceData(wasm)), C.size_t(len(wasm)), &p.module); err != nil {
		return nil, fmt.Errorf("wasmtime: compile: %w", errorText(err))
	}
	return p.link()
}

func (e *wasmtimeEngine) Image(ctx context.Context, wasm []byte) ([]byte, error) {
	p, err := e.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var image C.wasm_byte_vec_t
	if err := C.wasmtime_module_serialize(p.(*wasmtimeProgram).module, &image); err != nil {
		return nil, fmt.Errorf("wasmtime: image: %w", errorText(err))
	}
	defer C.wasm_byte_vec_delete(&image)
	return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(image.data)), int(image.size))), nil
}

// Load maps the image, so that only what is used of it is ever read.
func (e *wasmtimeEngine) Load(_ context.Context, image *os.File) (Program, error) {
	open := "/dev/fd"
	if runtime.GOOS == "linux" {
		open = "/proc/self/fd"
	}
	path := C.CString(fmt.Sprintf("%s/%d", open, image.Fd()))
	defer C.free(unsafe.Pointer(path))
	p := &wasmtimeProgram{engine: e}
	err := C.wasmtime_module_deserialize_file(e.engine, path, &p.module)
	runtime.KeepAlive(image)
	if err != nil {
		return nil, fmt.Errorf("wasmtime: load: %w", errorText(err))
	}
	return p.link()
}

// link resolves the imports of a module, which it takes over.
func (p *wasmtimeProgram) link() (Program, error) {
	if err := C.wasmtime_linker_instantiate_pre(p.engine.linker, p.module, &p.pre); err != nil {
		C.wasmtime_module_delete(p.module)
		return nil, fmt.Errorf("wasmtime: link: %w", errorText(err))
	}
	return p, nil
}

func (p *wasmtimeProgram) Close() error {
	p.once.Do(func() {
		C.wasmtime_instance_pre_delete(p.pre)
		C.wasmtime_module_delete(p.module)
	})
	return nil
}

func (p *wasmtimeProgram) Run(_ context.Context, host Host, fuel int64, final func(Outcome, []byte)) error {
	// The stack that is measured here must be the one that runs the guest.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const need = StackBytes + 512<<10
	if left := uint64(C.bacalhau_stack_left()); left < need {
		return fmt.Errorf("wasmtime: threads have %d KiB of stack and need %d: set ulimit -s 8192 or choose the engine wazero", left>>10, need>>10)
	}
	side := &wasmtimeRun{host: host, funcs: p.engine.funcs}
	handle := cgo.NewHandle(side)
	defer handle.Delete()
	run := (*C.bacalhau_run)(C.calloc(1, C.sizeof_bacalhau_run))
	defer C.free(unsafe.Pointer(run))
	run.handle = C.uintptr_t(handle)
	store := C.wasmtime_store_new(p.engine.engine, unsafe.Pointer(run), nil)
	defer C.wasmtime_store_delete(store)
	cx := C.wasmtime_store_context(store)

	end := C.bacalhau_instantiate(p.pre, cx, run, chars(p.engine.fuelExport), C.size_t(len(p.engine.fuelExport)))
	if _, err := outcome(end, false); err != nil {
		return fmt.Errorf("wasmtime: instantiate: %w", err)
	}
	if err := C.bacalhau_set_fuel(cx, run, C.int64_t(fuel)); err != nil {
		return fmt.Errorf("wasmtime: set fuel: %w", errorText(err))
	}
	trapped, err := outcome(C.bacalhau_start(cx, run), true)
	if err != nil && !side.stop {
		return fmt.Errorf("wasmtime: run: %w", err)
	}
	out := Outcome{Fuel: int64(C.bacalhau_fuel(cx, run)), Trapped: trapped && !side.stop, Stopped: side.stop}
	size := C.wasmtime_memory_data_size(cx, &run.memory)
	final(out, unsafe.Slice((*byte)(unsafe.Pointer(C.wasmtime_memory_data(cx, &run.memory))), int(size)))
	return nil
}

// outcome frees what a step returned. Traps that a program can cause itself
// are outcomes of a running program; everything else is an error.
func outcome(end C.bacalhau_end, running bool) (trapped bool, err error) {
	if end.error != nil {
		return false, errorText(end.error)
	}
	if end.trap == nil {
		return false, nil
	}
	defer C.wasm_trap_delete(end.trap)
	var code C.uint8_t
	known := bool(C.wasmtime_trap_code(end.trap, &code))
	switch {
	case known && code == C.TRAP_STACK_OVERFLOW:
		return false, errStack
	case known && running && code <= C.TRAP_LAST_OF_THE_GUEST:
		return true, nil
	}
	var text C.wasm_byte_vec_t
	C.wasm_trap_message(end.trap, &text)
	return false, takeText(&text)
}

//export bacalhauHostCall
func bacalhauHostCall(handle, index C.uintptr_t, memory *C.uint8_t, size C.size_t, args *C.wasmtime_val_raw_t, fuel *C.int64_t) C.uint64_t {
	run := cgo.Handle(handle).Value().(*wasmtimeRun)
	params := run.funcs[index].Params
	raw := unsafe.Slice((*[2]uint64)(unsafe.Pointer(args)), max(len(params), 1))
	var list [10]uint64
	for i := range params {
		if list[i] = raw[i][0]; params[i] == 'i' {
			list[i] = uint64(uint32(raw[i][0]))
		}
	}
	result, stop := run.host.Call(int(index), unsafe.Slice((*byte)(unsafe.Pointer(memory)), int(size)), list[:len(params)], (*int64)(unsafe.Pointer(fuel)))
	if stop {
		run.stop = true
		return 1 << 32
	}
	return C.uint64_t(result)
}
