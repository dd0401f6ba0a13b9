package confine

import (
	"errors"
	"fmt"
	"os"
)

const (
	// spillAfter is how many bytes of its outputs a run keeps in memory.
	spillAfter = 16 << 20
	// spillDescriptor is a child's file for the others.
	spillDescriptor = 4
	// spillFree stays free on the disk, bytes: room for the node to put away what it has, and for its database to go on.
	spillFree = 256 << 20
	// spillStep is how much is written between two looks at what is free, bytes.
	spillStep = 1 << 20
)

// spillMarker is the environment variable that tells a child that it has a file for outputs.
const spillMarker = "BACALHAU_OUTPUTS"

// openSpill makes a file that ends with the last process that has it open.
func openSpill(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".outputs-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// inheritedSpill is the file that this child was started with, or nil.
func inheritedSpill() *os.File {
	if os.Getenv(spillMarker) == "" {
		return nil
	}
	closeOnExec(spillDescriptor) // or closeInherited takes it for a mistake
	return os.NewFile(spillDescriptor, "outputs")
}

// spillFile is where a child keeps outputs that are too large for memory. It leaves the node some of the disk.
type spillFile struct {
	spill
	file   *os.File
	credit int64 // bytes that may be written until the next look at what is free
}

// ReadAt implements io.ReaderAt.
func (s *spillFile) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

// WriteAt implements io.WriterAt.
func (s *spillFile) WriteAt(p []byte, off int64) (int, error) {
	if s.credit -= int64(len(p)); s.credit < 0 {
		s.credit = spillStep
		if err := s.check(); err != nil {
			return 0, err
		}
	}
	n, err := s.file.WriteAt(p, off)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.Dir, err)
	}
	return n, err
}

// check says whether the disk has room.
func (s *spillFile) check() error {
	free, err := freeBytes(s.file)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", s.Dir, err)
	}
	if free < s.Free {
		return fmt.Errorf("the disk with %s is full: %d MiB are left and %d are kept free", s.Dir, free>>20, s.Free>>20)
	}
	return nil
}
