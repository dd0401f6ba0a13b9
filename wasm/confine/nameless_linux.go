package confine

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// fixedFile makes a file in memory that has the content for good: nobody can write to it, this process included.
func fixedFile(content []byte) (*os.File, error) {
	return memoryFile(unix.F_SEAL_WRITE, func(f *os.File) error {
		_, err := f.Write(content)
		return err
	})
}

// sharedFile makes a file in memory, of zeros, whose size nobody can change.
func sharedFile(size int) (*os.File, error) {
	return memoryFile(0, func(f *os.File) error { return f.Truncate(int64(size)) })
}

func memoryFile(seals int, fill func(*os.File) error) (*os.File, error) {
	descriptor, err := unix.MemfdCreate("bacalhau", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(descriptor), "memory")
	if err := fill(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals|unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW); err != nil {
		return nil, errors.Join(os.NewSyscallError("seal", err), f.Close())
	}
	return f, nil
}
