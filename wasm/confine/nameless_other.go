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

// sharedFile makes such a file of zeros, all of them on disk: what is mapped must have its place there.
func sharedFile(size int) (*os.File, error) { return fixedFile(make([]byte, size)) }
