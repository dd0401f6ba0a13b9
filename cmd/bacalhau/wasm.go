package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/wasm"
)

func newWasmCommand(a *app) *cobra.Command {
	return newGroup("wasm", "Try programs on this machine, as a node would run them",
		newWasmRunCommand(a), newWasmCheckCommand(a), newWasmExplainCommand(a))
}

// loadModule reads a program from this machine that fits the execution profile.
func loadModule(source string) ([]byte, error) {
	if err := mustBeHere(source); err != nil {
		return nil, fmt.Errorf("module %w", err)
	}
	if err := checkModule(source); err != nil {
		return nil, err
	}
	module, err := os.ReadFile(source)
	if err != nil {
		return nil, fmt.Errorf("module: %w", err)
	}
	return module, nil
}

// mustBeHere refuses what only a node could get.
func mustBeHere(source string) error {
	_, err := os.Stat(source)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is not on this machine: give a path (`bacalhau get` fetches a CID)", source)
	}
	return err
}

// checkReport is what `wasm check --output json` prints.
type checkReport struct {
	Module  string `json:"module"`
	Profile uint32 `json:"profile"`
	Fits    bool   `json:"fits"`
	// What is wrong, and how to build a module that fits.
	What string `json:"what,omitempty"`
	Fix  string `json:"fix,omitempty"`
}

func newWasmCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check MODULE.wasm",
		Short: "Say whether nodes take a program and, if not, how to build one that they take",
		Long: `Say whether a program fits the execution profile: WebAssembly 2.0 and WASI
preview 1, without what differs between machines.

Exit code: 0 when it fits, 3 when it does not, 1 on errors, 2 on wrong usage.`,
		Example: "  bacalhau wasm check examples/wordcount/wordcount.wasm",
		Args:    takes("the program to look at"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.checkWasm(args[0]) },
	}
}

func (a *app) checkWasm(source string) error {
	report := checkReport{Module: source, Profile: wasm.Version, Fits: true}
	_, err := loadModule(source)
	var refused *wasm.ProfileError
	if errors.As(err, &refused) {
		report.Fits, report.What, report.Fix = false, refused.What, refused.Fix
		err = workError{err}
		if a.output != outputJSON {
			return err
		}
	} else if err != nil {
		return err
	}
	printed := a.print(report, func(w io.Writer) {
		fmt.Fprintf(w, "%s fits execution profile %d\n", printable(source), wasm.Version)
	})
	return errors.Join(err, printed)
}
