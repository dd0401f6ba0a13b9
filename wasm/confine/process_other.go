//go:build !linux

package confine

import (
	"os"
)

// self is this program.
var self = func() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}()
