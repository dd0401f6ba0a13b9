package imagestore

import (
	"fmt"
	"os"
	"syscall"
)

// private refuses what belongs to somebody else or grants others a right in the
// mask.
func private(path string, mask os.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link: name its target", path)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner != uint32(os.Geteuid()) {
		return fmt.Errorf("%s belongs to user %d: choose a directory of your own", path, owner)
	}
	if info.Mode().Perm()&mask != 0 {
		return fmt.Errorf("%s is open to others: remove it, or take their rights away (chmod go= %s)", path, path)
	}
	return nil
}
