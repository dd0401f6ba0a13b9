package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/wasm"
)

// maxModuleBytes bounds a program.
const maxModuleBytes = 256 << 20

// checkModule refuses a local program that could not run, before anything is sent anywhere. CIDs and URLs are left to
// the node.
func checkModule(source string) error {
	if isURL(source) {
		return nil
	}
	f, err := os.Open(source)
	if errors.Is(err, fs.ErrNotExist) {
		if _, notCID := data.ParseCID(source); notCID == nil {
			return nil
		}
		return fmt.Errorf("module %q is neither a file here, nor a CID, nor a URL", source)
	}
	if err != nil {
		return fmt.Errorf("module: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("module: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("module %s is not a file: give a WASI program", source)
	}
	if info.Size() > maxModuleBytes {
		return fmt.Errorf("module %s has %s: at most %s are taken", source, formatSize(uint64(info.Size())), formatSize(maxModuleBytes))
	}
	module, err := io.ReadAll(io.LimitReader(f, maxModuleBytes))
	if err != nil {
		return fmt.Errorf("module: %w", err)
	}
	if err := wasm.Check(module); err != nil {
		return fmt.Errorf("module %s: %w", source, err)
	}
	return nil
}

// stageModule makes the program known to the node and returns its CID.
func (s *staging) stageModule(ctx context.Context, source string) (string, error) {
	module, err := s.stage(ctx, source, true)
	if err != nil {
		return "", fmt.Errorf("module: %w", err)
	}
	if !module.file {
		return "", fmt.Errorf("module %s is a directory: give the CID of a WASI program", source)
	}
	return module.cid.String(), s.upload(ctx, module)
}
