package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
)

// wasmReport is what `wasm run --output json` prints.
type wasmReport struct {
	Engine string `json:"engine"`
	// Confinement names the layers that held the program's process.
	Confinement []string `json:"confinement"`
	Profile     uint32   `json:"profile"`
	protocol.Result
	Trap       string       `json:"trap,omitempty"`
	PeakMemory uint64       `json:"peakMemory"` // bytes
	Digest     common.Hash  `json:"digest"`     // of piece 0 under the zero salt
	OutputsCID string       `json:"outputsCID"`
	Files      []wasmOutput `json:"files"`
	// Price of the fuel, wei, if a price per unit was given.
	Price *client.Wei `json:"price,omitempty"`
	// Stdout and Stderr begin with this, at most 1 MiB, with U+FFFD for what is not UTF-8.
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	// StdoutBytes and StderrBytes are how long they are.
	StdoutBytes int64 `json:"stdoutBytes"`
	StderrBytes int64 `json:"stderrBytes"`
	// Out is the folder with the outputs.
	Out string `json:"out,omitempty"`
}

// wasmOutput is a file that the program left below /outputs.
type wasmOutput struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// reportBytes is how much of stdout and of stderr is reported as data.
const reportBytes = 1 << 20

// keep builds the directory that a job's client would get, writes it to out if that is not empty, and reports.
func keep(ctx context.Context, r *wasm.Result, out string) (report wasmReport, err error) {
	report = wasmReport{
		Profile: wasm.Version, Trap: r.Trap, PeakMemory: r.PeakMemory, Out: out, Files: []wasmOutput{},
		StdoutBytes: r.Stdout.Size(), StderrBytes: r.Stderr.Size(),
	}
	if report.Stdout, err = beginning(r.Stdout); err != nil {
		return report, err
	}
	if report.Stderr, err = beginning(r.Stderr); err != nil {
		return report, err
	}
	files := map[string]data.Source{"stdout": data.At(r.Stdout), "stderr": data.At(r.Stderr)}
	for _, f := range r.Outputs {
		files["outputs/"+f.Path] = data.At(f)
		report.Files = append(report.Files, wasmOutput{f.Path, f.Size()})
	}
	scratch := data.NewScratch()
	c, err := scratch.AddFiles(ctx, files)
	if err != nil {
		return report, err
	}
	digest, err := data.DigestOf(c)
	if err != nil {
		return report, err
	}
	report.OutputsCID = c.String()
	report.Result = protocol.Result{ExitCode: r.ExitCode, Fuel: r.Fuel, Outputs: digest, Memory: r.MemoryHash}
	report.Digest = report.Result.Digest(common.Hash{}, 0, wasm.Version)
	if out == "" {
		return report, nil
	}
	return report, scratch.Export(ctx, c, out)
}

func beginning(f wasm.File) (string, error) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, min(f.Size(), reportBytes)))
	return string(b), err
}

// print passes the program's output through, byte for byte, with the summary on stderr; as JSON all goes to stdout.
func (o *wasmRunOptions) print(report wasmReport, r *wasm.Result) error {
	a := o.app
	if a.output == outputJSON {
		return a.print(report, nil)
	}
	if _, err := io.Copy(a.stdout, io.NewSectionReader(r.Stdout, 0, r.Stdout.Size())); err != nil {
		return err
	}
	n := r.Stderr.Size()
	if _, err := io.Copy(a.stderr, io.NewSectionReader(r.Stderr, 0, n)); err != nil {
		return err
	}
	last := []byte{'\n'}
	if n > 0 {
		if _, err := r.Stderr.ReadAt(last, n-1); err != nil {
			return err
		}
	}
	w := &errWriter{w: a.stderr}
	if last[0] != '\n' {
		fmt.Fprintln(w)
	}
	report.write(w)
	return w.err
}

func (r wasmReport) write(w io.Writer) {
	exit := number(r.ExitCode)
	if r.Trap != "" {
		exit = r.Trap
	}
	fmt.Fprintf(w, "exit     %s\nfuel     %s\n", exit, formatCount(r.Fuel))
	if r.Price != nil {
		fmt.Fprintf(w, "price    %s\n", formatAmount(*r.Price))
	}
	fmt.Fprintf(w, "memory   %s at its peak, hash %s\n", formatSize(r.PeakMemory), r.Memory)
	fmt.Fprintf(w, "outputs  %s\n", r.OutputsCID)
	const shown = 20
	for _, f := range r.Files[:min(shown, len(r.Files))] {
		fmt.Fprintf(w, "         %s (%s)\n", printable(f.Path), formatSize(uint64(f.Bytes)))
	}
	if more := len(r.Files) - shown; more > 0 {
		fmt.Fprintf(w, "         and %s\n", plural(more, "other file"))
	}
	if r.Out != "" {
		fmt.Fprintf(w, "written  %s\n", r.Out)
	}
	fmt.Fprintf(w, "digest   %s (zero salt, %s, profile %d)\n", r.Digest, r.Engine, r.Profile)
}

// cost is what fuel costs at a price per unit; both in wei, and nil without a price.
func cost(price *big.Int, fuel uint64) *client.Wei {
	if price == nil {
		return nil
	}
	return &client.Wei{Int: new(big.Int).Mul(price, new(big.Int).SetUint64(fuel))}
}

// failure is the error that a run which did not exit with 0 ends the command with.
func failure(r *wasm.Result) error {
	if r.ExitCode == 0 {
		return nil
	}
	reason := exitReason(r.ExitCode)
	if slices.Contains([]string{wasm.TrapStack, wasm.TrapGuest}, r.Trap) {
		reason = r.Trap
	}
	return workError{fmt.Errorf("the program failed: %s", reason)}
}
