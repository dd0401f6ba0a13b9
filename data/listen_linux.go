package data

import "golang.org/x/sys/unix"

// boundUnsent lets a write wait while n bytes of the connection are unsent. Accepted
// connections have it from their listener.
func boundUnsent(fd uintptr, n int) error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, n)
}
