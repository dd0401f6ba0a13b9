package data

import (
	"context"
	"net"
	"syscall"
)

// Listen opens a TCP listener for a server of Handler. Of its connections the
// system holds little that is not sent yet. Otherwise, where it has taken some
// megabytes of a download, a slow reader would have to take a megabyte until the
// next write goes on, and could not be told from one that has stopped.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if failed := c.Control(func(fd uintptr) { err = boundUnsent(fd, pieceBytes) }); failed != nil {
			return failed
		}
		return err
	}}
	config.SetMultipathTCP(false) // its connections would not have the option
	return config.Listen(ctx, "tcp", address)
}
