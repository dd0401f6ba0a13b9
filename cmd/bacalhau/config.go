package main

import (
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newConfigCommand(a *app) *cobra.Command {
	l := newLayers()
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show a node's settings and where each comes from",
		Long: `Show every setting with the value that serve would use, and where it comes from: a
flag, an environment variable, a line of the configuration file, or the default.
Takes the flags of serve. Passwords and what may be one in a URL are not shown.`,
		Example: "  bacalhau config\n  bacalhau config --output json --compute",
		Args:    takesNothing,
		RunE:    func(*cobra.Command, []string) error { return a.showConfig(l) },
	}
	cmd.Flags().AddFlagSet(l.flags)
	cmd.Flags().SortFlags = false
	return cmd
}

// settingReport is one setting as config prints it.
type settingReport struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	From     string `json:"from"`
	Variable string `json:"variable"`
	Help     string `json:"help"`
}

func (a *app) showConfig(l *layers) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	if err := l.load(dir); err != nil {
		return err
	}
	var report []settingReport
	l.flags.VisitAll(func(f *pflag.Flag) {
		report = append(report, settingReport{
			Name: f.Name, Value: withoutSecrets(f.Value.String()), From: l.origin[f.Name], Variable: envOf(f.Name), Help: f.Usage,
		})
	})
	if err := a.print(report, func(w io.Writer) { printSettings(w, report) }); err != nil {
		return err
	}
	if err := l.Check(); err != nil {
		return usageError{err}
	}
	return nil
}

func printSettings(w io.Writer, settings []settingReport) {
	t := newTable("SETTING", "VALUE", "FROM")
	for _, s := range settings {
		t.row(s.Name, orDash(s.Value), s.From)
	}
	t.write(w)
}

// secretLength is that of a path segment which is more likely an access key than a name.
const secretLength = 20

// withoutSecrets hides what gives access in a URL: passwords, queries, and long segments of the path.
func withoutSecrets(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return value
	}
	const hidden = "xxxxx"
	if u.User != nil {
		u.User = url.User(hidden)
	}
	if u.RawQuery != "" {
		u.RawQuery = hidden
	}
	segments := strings.Split(u.Path, "/")
	for i, s := range segments {
		if len(s) >= secretLength {
			segments[i] = hidden
		}
	}
	u.Path, u.RawPath = strings.Join(segments, "/"), ""
	return u.String()
}
