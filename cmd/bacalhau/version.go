package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/wasm"
)

// versionReport is what `version --output json` prints.
type versionReport struct {
	Version  string   `json:"version"`
	Revision string   `json:"revision,omitempty"`
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	Profile  int      `json:"profile"` // of deterministic execution
	Engines  []string `json:"engines"`
	// Chains are known by name.
	Chains []string `json:"chains"`
}

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show this program's version",
		Example: "  bacalhau version --output json",
		Args:    takesNothing,
		RunE: func(*cobra.Command, []string) error {
			v := thisVersion()
			return a.print(v, func(w io.Writer) {
				fmt.Fprintf(w, "bacalhau %s\nrevision %s\nbuilt    with %s for %s\nruns     execution profile %d on %s\nchains   %s\n",
					v.Version, orDash(v.Revision), v.Go, v.Platform, v.Profile, strings.Join(v.Engines, ", "), strings.Join(v.Chains, ", "))
			})
		},
	}
}

func thisVersion() versionReport {
	v := versionReport{
		Version: node.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Profile: wasm.Version, Engines: wasm.Engines(), Chains: chainNames(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Revision = s.Value + v.Revision
		case s.Key == "vcs.modified" && s.Value == "true":
			v.Revision += " (modified)"
		}
	}
	return v
}
