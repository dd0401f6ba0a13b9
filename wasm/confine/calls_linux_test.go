package confine

import (
	"slices"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
)

// The filter drops names that an architecture does not have, which must not hide a name that is misspelt or a call that
// went by another name there.
func TestCallsAreKnown(t *testing.T) {
	onlyOn := map[string][]string{
		"x86_64":  {"open", "rmdir", "epoll_wait", "newfstatat"}, // others have only what came after the first three
		"aarch64": {"fstatat"},
	}
	for _, name := range []string{"x86_64", "aarch64"} {
		machine, err := arch.GetInfo(name)
		if err != nil {
			t.Fatal(err)
		}
		wanted := slices.Concat(computing, usingFiles, []string{"clone", "clone3", "tgkill", "prctl", "prlimit64", "pwrite64", "fstatfs"})
		for other, names := range onlyOn {
			if other != name {
				wanted = slices.DeleteFunc(wanted, func(call string) bool { return slices.Contains(names, call) })
			}
		}
		for _, call := range wanted {
			if _, ok := machine.SyscallNames[call]; !ok {
				t.Errorf("%s has no %s", name, call)
			}
		}
	}
}
