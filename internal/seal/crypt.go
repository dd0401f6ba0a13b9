package seal

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

var (
	// ErrWrongKey means that the file is encrypted to another secret, or that the
	// line of its header which says to which one is damaged.
	ErrWrongKey = errors.New("encrypted with another key")
	// ErrCorrupt means that the bytes are not those of a whole age file.
	ErrCorrupt = errors.New("encrypted data is damaged or incomplete")
)

// Encrypt writes what is written to it to w as an age v1 file that only secret
// opens. The file differs each time, and is complete once Close returns nil.
func Encrypt(secret []byte, w io.Writer) (io.WriteCloser, error) {
	id, err := identity(secret)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	sealed, err := age.Encrypt(w, id.Recipient())
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return sealed, nil
}

// Decrypt opens what Encrypt wrote. The error, here or from the returned reader,
// is ErrWrongKey, ErrCorrupt or what r returned. Bytes are authentic as soon as
// they are read; that they are all, only io.EOF tells.
func Decrypt(secret []byte, r io.Reader) (io.Reader, error) {
	id, err := identity(secret)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	source := &watched{r: r}
	opened, err := age.Decrypt(source, id)
	if err != nil {
		return nil, source.explain(err)
	}
	return &plain{opened, source}, nil
}

// watched remembers how reading the ciphertext failed, so that a broken source is
// not mistaken for broken data.
type watched struct {
	r   io.Reader
	err error
}

func (s *watched) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (s *watched) explain(err error) error {
	var mismatch *age.NoIdentityMatchError
	switch {
	case s.err != nil:
		return fmt.Errorf("decrypt: read: %w", s.err)
	case errors.As(err, &mismatch):
		return fmt.Errorf("decrypt: %w", ErrWrongKey)
	}
	return fmt.Errorf("decrypt: %w: %v", ErrCorrupt, err)
}

// plain is the plaintext, with errors that callers can tell apart.
type plain struct {
	r      io.Reader
	source *watched
}

func (p *plain) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err != nil && err != io.EOF {
		err = p.source.explain(err)
	}
	return n, err
}
