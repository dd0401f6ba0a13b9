package node

import "runtime/debug"

// Version is that of the module, as the Go toolchain recorded it.
var Version = func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}()
