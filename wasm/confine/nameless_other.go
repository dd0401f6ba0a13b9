//go:build !linux

package confine

import (
	"errors"
	"os"
)

// fixedFile makes a file that only this process and its children can reach.
func fixedFile(content []byte) (*os.File, error) {
	f, err := openSpill("")
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(content); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sharedFile makes such a file of zeros.
func sharedFile(size int) (*os.File, error) {
	f, err := openSpill("")
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(int64(size)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
