// Command bacalhau runs work over data on a network of strangers, and is the network's nodes too.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitWork        = 3 // the job or a piece of it failed
	exitInterrupted = 130
)

func main() {
	if confine.Started() { // by a node, for one execution
		os.Exit(confine.Serve())
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole command and returns its exit code. The first SIGINT or SIGTERM ends it in good order, a second one at
// once.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRootCommand(&app{stdin: stdin, stdout: stdout, stderr: stderr, poll: pollInterval})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "bacalhau:", explain(err))
	return exitCode(err)
}

// usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func badUsage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// workError is work that was done and failed.
type workError struct{ err error }

func (e workError) Error() string { return e.err.Error() }
func (e workError) Unwrap() error { return e.err }

func exitCode(err error) int {
	var usage usageError
	var work workError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &work):
		return exitWork
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitError
}

// explain is the one line that an error ends the command with.
func explain(err error) string {
	if errors.Is(err, client.ErrNoNode) {
		return err.Error() + "; start one with `bacalhau devstack`, or name another with --api"
	}
	return err.Error()
}

// errInterrupted is a cancellation by the name that its user knows.
var errInterrupted error = interruption{}

type interruption struct{}

func (interruption) Error() string { return "interrupted" }
func (interruption) Unwrap() error { return context.Canceled }
