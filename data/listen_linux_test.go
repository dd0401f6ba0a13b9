package data

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// What a reader that has stopped has not been sent does not pile up in the system, so that a write is refused soon.
func TestListenBoundsWhatIsUnsent(t *testing.T) {
	listener := must(Listen(t.Context(), "127.0.0.1:0"))(t)
	defer listener.Close()
	reader := must(net.Dial("tcp", listener.Addr().String()))(t)
	defer reader.Close()
	if err := reader.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	conn := must(listener.Accept())(t)
	defer conn.Close()
	taken := 0
	for {
		if err := conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Write(make([]byte, pieceBytes))
		taken += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if taken > 1<<20 {
		t.Errorf("the system took %d bytes that nobody reads", taken)
	}
}
