package node

import "runtime/debug"

// release is what the linker says in a release build, see the Makefile.
var release string

// Version is that of the release, or of the module as the Go toolchain recorded it.
var Version = func() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}()
