package node

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const lockFile = "lock"

// Lock keeps other processes from using a data folder until it is released, or this process ends in any way.
func Lock(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if !taken {
		return nil, fmt.Errorf("another process uses the folder %s: stop it, or give this one a folder of its own with --data-dir", dir)
	}
	return lock.Close, nil
}
