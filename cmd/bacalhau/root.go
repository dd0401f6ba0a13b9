package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"
)

const pollInterval = 500 * time.Millisecond

// app is what all commands share: the streams and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	apiURL         string
	dataDir        string
	output         string        // outputTable or outputJSON
	poll           time.Duration // between two looks at a running job
}

// commands are the constructors of all commands below the root.
var commands = []func(*app) *cobra.Command{
	newDemoCommand,
	newDevstackCommand,
	newInitCommand,
	newServeCommand,
	newConfigCommand,
	newDeployCommand,
	newRunCommand,
	newGetCommand,
	newJobCommand,
	newNodeCommand,
	newWalletCommand,
	newAuditCommand,
	newWasmCommand,
	newVersionCommand,
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "bacalhau",
		Short: "Compute over data on a network of strangers, checked at random",
		Long: `Bacalhau runs WebAssembly programs over data on other people's machines, pays
for it through a contract, and checks a random few percent of the results: a
worker caught cheating loses far more than it could gain.`,
		Args: noSubcommand,
		RunE: showHelp,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.output != outputTable && a.output != outputJSON {
				return badUsage("--output %q is neither %s nor %s", a.output, outputTable, outputJSON)
			}
			return nil
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return badUsage("%w (see `%s --help`)", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.apiURL, "api", "", "URL of the node's API (default: $"+envAPI+", else that of the node in the data folder, else the devstack's, else http://127.0.0.1:1234)")
	flags.StringVar(&a.dataDir, "data-dir", "", "folder of the node that this is about (default: $"+envDataDir+", else ~/.bacalhau/node)")
	flags.StringVarP(&a.output, "output", "o", outputTable, "how to print: table or json")
	for _, command := range commands {
		root.AddCommand(command(a))
	}
	return root
}

// newGroup is a command that only holds others.
func newGroup(name, short string, below ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{Use: name, Short: short, Args: noSubcommand, RunE: showHelp}
	group.AddCommand(below...)
	return group
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return badUsage("%q is not a command of %s (see `%[2]s --help`)", args[0], cmd.CommandPath())
	}
	return nil
}

// takes is the Args of a command that needs one argument of the given kind.
func takes(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return badUsage("give %s: %s", what, cmd.UseLine())
		}
		return nil
	}
}

// takesNothing is the Args of a command without arguments.
func takesNothing(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return badUsage("%s takes no arguments, and got %q", cmd.CommandPath(), args)
	}
	return nil
}
