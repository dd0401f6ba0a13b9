package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/filecoin-project/bacalhau/internal/seal"
)

type initOptions struct {
	*layers
	app        *app
	importFrom string
}

func newInitCommand(a *app) *cobra.Command {
	o := &initOptions{layers: newLayers(), app: a}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a node's data folder, key and configuration file",
		Long: `Make what a node needs to be served: the data folder, a wallet's key, and a
configuration file with the settings given here. On a terminal it asks for what is
missing. What exists already stays as it is. With a chain on this machine, the node
is set to fetch data from private addresses too.

The key is encrypted with the password of --password-file, $` + envPassword + `, or the
terminal; without any of them a password is made up and kept in the data folder,
which then is as secret as the key.`,
		Example: `  bacalhau init
  bacalhau init --compute --chain calibration --contract 0x…
  bacalhau init --requester --chain http://127.0.0.1:8545 --contract 0x… --import key.json`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	cmd.Flags().StringVar(&o.importFrom, "import", "", "take the key from a file: an Ethereum key file, or 64 hexadecimal digits")
	cmd.Flags().AddFlagSet(o.flags)
	cmd.Flags().SortFlags = false
	return cmd
}

// initReport is what init prints.
type initReport struct {
	Dir    string         `json:"dir"`
	Config string         `json:"config"`
	Wallet common.Address `json:"wallet"`
	// Made lists what was not there before.
	Made []string `json:"made"`
	Next []string `json:"next"`
}

func (o *initOptions) run(ctx context.Context) error {
	dir, err := o.app.dir()
	if err != nil {
		return err
	}
	if err := o.load(dir); err != nil {
		return err
	}
	r := initReport{Dir: dir, Config: filepath.Join(dir, configFile), Made: []string{}}
	_, err = os.Stat(r.Config)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return err
	}
	if fresh {
		if err := o.ask(ctx); err != nil {
			return err
		}
	}
	if fresh && o.origin["allow-private"] == originDefault && onThisMachine(o.chain) {
		if err := o.set(o.flags.Lookup("allow-private"), "true", "chain"); err != nil {
			return err
		}
	}
	if err := o.Check(); err != nil {
		return usageError{err}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if r.Wallet, err = o.key(ctx, dir, &r); err != nil {
		return err
	}
	if fresh {
		if err := o.write(r.Config); err != nil {
			return err
		}
		r.Made = append(r.Made, r.Config)
	}
	r.Next = o.next(r)
	return o.app.print(r, func(w io.Writer) { printInit(w, r) })
}

// onThisMachine says whether a chain is a development network's, whose nodes are neighbours.
func onThisMachine(chain string) bool {
	if chain == embeddedChain {
		return true
	}
	u, err := url.Parse(chain)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// key is the node's wallet, made or imported if there is none.
func (o *initOptions) key(ctx context.Context, dir string, r *initReport) (common.Address, error) {
	keys, err := seal.Keys(keystoreOf(dir))
	if err != nil {
		return common.Address{}, err
	}
	if len(keys) > 0 {
		return chooseWallet(dir, o.wallet)
	}
	wallet, err := o.app.addKey(ctx, dir, o.importFrom, o.passwordFile)
	if err == nil {
		r.Made = append(r.Made, "wallet "+wallet.Hex())
	}
	return wallet, err
}

// write makes the configuration file of all settings that are not the defaults.
func (o *initOptions) write(path string) error {
	root := &yaml.Node{Kind: yaml.MappingNode, HeadComment: "Settings of a Bacalhau node; `bacalhau config` lists all that there are."}
	o.flags.VisitAll(func(f *pflag.Flag) {
		if f.Value.String() != f.DefValue {
			root.Content = append(root.Content,
				&yaml.Node{Kind: yaml.ScalarNode, Value: f.Name}, &yaml.Node{Kind: yaml.ScalarNode, Value: f.Value.String()})
		}
	})
	raw, err := yaml.Marshal(root)
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, raw, 0o600)
}

// next is what is left to do.
func (o *initOptions) next(r initReport) []string {
	with := ""
	if home, err := homeDir("node", ""); err != nil || home != r.Dir {
		with = " --data-dir " + r.Dir
	}
	var next []string
	if o.chain != embeddedChain {
		next = append(next, fmt.Sprintf("send wallet %s some of the chain's token, for its transactions and its stake or deposit", r.Wallet))
	}
	next = append(next, "bacalhau serve"+with)
	if o.compute {
		next = append(next, "bacalhau node stake"+with, "bacalhau node register"+with)
	}
	if o.requester {
		next = append(next, "bacalhau wallet deposit AMOUNT"+with)
	}
	return next
}

func printInit(w io.Writer, r initReport) {
	fmt.Fprintf(w, "folder    %s\nsettings  %s\nwallet    %s\nmade      %s\n\nNext:\n",
		r.Dir, r.Config, r.Wallet, cmp.Or(strings.Join(r.Made, ", "), "nothing, all was there"))
	for _, step := range r.Next {
		fmt.Fprintln(w, "  "+step)
	}
}
