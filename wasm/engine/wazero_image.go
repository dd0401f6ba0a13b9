package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
)

// wazero gives its native code away only through files: one per module, in a
// directory that is its cache, under a name that it chooses. So an image holds
// the module, that file and its name, and the directory exists only while an
// image is made or loaded. It is private, since wazero trusts what it finds.

func (e *wazeroEngine) Image(ctx context.Context, wasm []byte) (image []byte, err error) {
	dir, err := os.MkdirTemp("", "bacalhau-wazero-")
	if err != nil {
		return nil, fmt.Errorf("wazero: image: %w", err)
	}
	defer os.RemoveAll(dir)
	p, err := e.compileIn(ctx, dir, wasm)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err == nil && len(files) > 1 {
		err = fmt.Errorf("%d files of native code, not one", len(files))
	}
	if err != nil {
		return nil, fmt.Errorf("wazero: image: %w", err)
	}
	var name string
	var native []byte
	if len(files) == 1 { // an interpreter leaves none
		if native, err = os.ReadFile(files[0]); err != nil {
			return nil, fmt.Errorf("wazero: image: %w", err)
		}
		if name, err = filepath.Rel(dir, files[0]); err != nil {
			return nil, fmt.Errorf("wazero: image: %w", err)
		}
	}
	for _, part := range [][]byte{[]byte(name), wasm, native} {
		image = append(binary.LittleEndian.AppendUint64(image, uint64(len(part))), part...)
	}
	return image, nil
}

func (e *wazeroEngine) Load(ctx context.Context, file *os.File) (Program, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("wazero: load: %w", err)
	}
	image := make([]byte, info.Size())
	if _, err := file.ReadAt(image, 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("wazero: load: %w", err)
	}
	return e.load(ctx, image)
}

func (e *wazeroEngine) load(ctx context.Context, image []byte) (Program, error) {
	var parts [3][]byte
	for i := range parts {
		if len(image) < 8 || binary.LittleEndian.Uint64(image) > uint64(len(image)-8) {
			return nil, errors.New("wazero: load: the image is cut short")
		}
		end := 8 + binary.LittleEndian.Uint64(image)
		parts[i], image = image[8:end], image[end:]
	}
	name, wasm, native := string(parts[0]), parts[1], parts[2]
	if name == "" {
		return e.Compile(ctx, bytes.Clone(wasm)) // wazero keeps slices of it
	}
	if !filepath.IsLocal(name) {
		return nil, errors.New("wazero: load: not an image of this engine")
	}
	dir, err := os.MkdirTemp("", "bacalhau-wazero-")
	if err != nil {
		return nil, fmt.Errorf("wazero: load: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, name)
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("wazero: load: %w", err)
	}
	if err := os.WriteFile(file, native, 0o600); err != nil {
		return nil, fmt.Errorf("wazero: load: %w", err)
	}
	return e.compileIn(ctx, dir, wasm)
}

// compileIn compiles on a runtime of the program's own that keeps native code
// below dir, or finds it there.
func (e *wazeroEngine) compileIn(ctx context.Context, dir string, wasm []byte) (Program, error) {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fmt.Errorf("wazero: %w", err)
	}
	own, err := newWazeroWith(wazeroConfig().WithCompilationCache(cache), e.funcs, e.fuelExport)
	if err != nil {
		return nil, errors.Join(err, cache.Close(ctx))
	}
	own.cache = cache
	p, err := own.Compile(ctx, bytes.Clone(wasm))
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return &ownProgram{p, own}, nil
}

// ownProgram is a program with a runtime of its own.
type ownProgram struct {
	Program
	engine *wazeroEngine
}

func (p *ownProgram) Close() error { return errors.Join(p.Program.Close(), p.engine.Close()) }
