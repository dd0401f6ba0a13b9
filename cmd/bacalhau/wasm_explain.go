package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/wasm"
)

func newWasmExplainCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "explain MODULE.wasm",
		Short: "Show what each function of a program costs, in fuel",
		Long: `Show what metering charges for each function, as far as it can be told without
running the program.

STRAIGHT is the price of a call without its loops: entering, and every
instruction outside of a loop once, on all branches. LOOPED is the price of the
instructions in loops, each once; every turn pays for those that it passes. What
the functions called cost is not included. SIZED counts memory.copy, memory.grow
and the like, which also cost by the size of what they work on.`,
		Example: "  bacalhau wasm explain program.wasm",
		Args:    takes("the program to look at"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.explainWasm(args[0]) },
	}
}

func (a *app) explainWasm(source string) error {
	module, err := loadModule(source)
	if err != nil {
		return err
	}
	list, err := wasm.Explain(module)
	if err != nil {
		return fmt.Errorf("module %s: %w", source, err)
	}
	return a.print(list, func(w io.Writer) { printPrices(w, list) })
}

func printPrices(w io.Writer, list []wasm.FunctionPrice) {
	t := newTable("FUNCTION", "NAME", "INSTRUCTIONS", "STRAIGHT", "LOOPED", "LOOPS", "CALLS", "INDIRECT", "SIZED")
	for _, f := range list {
		t.row(number(f.Index), orDash(f.Name), strconv.Itoa(f.Instructions), formatCount(f.Straight), formatCount(f.Looped),
			strconv.Itoa(f.Loops), strconv.Itoa(f.Calls), strconv.Itoa(f.IndirectCalls), strconv.Itoa(f.Sized))
	}
	t.write(w)
}
