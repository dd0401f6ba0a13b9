package main

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// knownVariables are the environment variables that the program reads.
func knownVariables() map[string]bool {
	known := map[string]bool{envDataDir: true, envPassword: true}
	newLayers().flags.VisitAll(func(f *pflag.Flag) { known[envOf(f.Name)] = true })
	return known
}

var variableName = regexp.MustCompile(`BACALHAU_[A-Z_]+`)

// TestPackaging holds what is packed with the program against what the program knows.
func TestPackaging(t *testing.T) {
	for _, file := range []string{"bacalhau.service", "Dockerfile", "compose.yaml"} {
		for _, name := range variableName.FindAllString(read(t, "../../packaging", file), -1) {
			if !knownVariables()[name] {
				t.Errorf("%s sets %s, which the program does not read", file, name)
			}
		}
	}
	var compose struct {
		Services map[string]struct {
			Build       struct{ Context, Dockerfile string }
			Environment map[string]string
			Ports       []string
			Volumes     []string
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../packaging/compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	for name, service := range compose.Services {
		if service.Build.Dockerfile != "packaging/Dockerfile" || service.Environment["BACALHAU_LISTEN"] == "" || len(service.Ports) != 1 {
			t.Errorf("service %s is %+v", name, service)
		}
		if _, known := compose.Volumes[strings.Split(service.Volumes[0], ":")[0]]; !known {
			t.Errorf("service %s has the volume %s, which is not declared", name, service.Volumes[0])
		}
	}
	if len(compose.Services) != 2 {
		t.Errorf("there are %d services", len(compose.Services))
	}
	if !strings.Contains(read(t, "../../Makefile"), "bin/release/bacalhau ") ||
		!strings.Contains(read(t, "../../packaging/Dockerfile"), "/src/bin/release/bacalhau ") {
		t.Error("the Dockerfile does not take what make release builds")
	}
}

// TestUnit has systemd read the unit, where there is one; it complains of what it does not know, and of the program that
// is not installed.
func TestUnit(t *testing.T) {
	unit := read(t, "../../packaging/bacalhau.service")
	for _, line := range strings.Split(unit, "\n") {
		if line != "" && line[0] != '#' && line[0] != '[' && !strings.Contains(line, "=") {
			t.Errorf("the unit has the line %q", line)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return
	}
	installed := write(t, strings.ReplaceAll(unit, "/usr/local/bin/bacalhau", "/bin/true"), t.TempDir(), "bacalhau.service")
	output, _ := exec.Command(analyze, "verify", "--man=no", installed).CombinedOutput()
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, "bacalhau.service:") {
			t.Error(line)
		}
	}
}
