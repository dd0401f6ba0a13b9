package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/protocol"
)

// listening runs a server for strangers, whose patience a test has adjusted, until the test ends.
func listening(t *testing.T, handler http.Handler, adjust func(*server)) *server {
	t.Helper()
	s, err := newPublicServer("127.0.0.1:0", handler, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	adjust(s)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// dial opens a connection that waits for a minute at most, and sends something.
func dial(t *testing.T, s *server, send string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatal(err)
	}
	return conn
}

// answered is the status of the answer, 0 if the connection was closed without one.
func answered(t *testing.T, conn net.Conn) int {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("neither answered nor closed")
	}
	if err != nil {
		return 0
	}
	return resp.StatusCode
}

// TestStrangersWhoTakeTheirTime: nobody keeps a connection without a whole request, nor sends more than there is room for.
func TestStrangersWhoTakeTheirTime(t *testing.T) {
	intake := api.Intake(func(protocol.SignedOffer) error { return nil }, slog.New(slog.DiscardHandler))
	post := "POST " + client.OffersPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct {
		begin, drip string
		status      int
	}{
		"silent":       {"", "", 0},
		"slow line":    {"GET /", "x", http.StatusBadRequest},
		"slow header":  {"GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n", 0},
		"huge header":  {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 100<<10), "", http.StatusRequestHeaderFieldsTooLarge},
		"slow body":    {post + "Content-Length: 1000\r\n\r\n{", " ", http.StatusBadRequest},
		"slow chunks":  {post + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", http.StatusBadRequest},
		"huge body":    {post + "Content-Length: 99999999999\r\n\r\n" + strings.Repeat(" ", 10<<10), "", http.StatusRequestEntityTooLarge},
		"body unasked": {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "x", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listening(t, nil, func(s *server) {
				s.ReadHeaderTimeout, s.Handler = 500*time.Millisecond, hurried(intake, 500*time.Millisecond)
			})
			conn := dial(t, s, c.begin)
			go func() {
				for err := error(nil); err == nil && c.drip != ""; time.Sleep(20 * time.Millisecond) {
					_, err = io.WriteString(conn, c.drip)
				}
			}()
			if status := answered(t, conn); status != c.status {
				t.Errorf("answered with %d, want %d", status, c.status)
			}
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection stays open")
			}
		})
	}
}

// TestCrowd: those who only wait make room for newcomers; whoever is being served stays.
func TestCrowd(t *testing.T) {
	const most = 20
	begun, end := make(chan struct{}), make(chan struct{})
	crowd := newCrowd(most)
	mux := http.NewServeMux()
	mux.HandleFunc("/long", func(http.ResponseWriter, *http.Request) { begun <- struct{}{}; <-end })
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	s := listening(t, mux, func(s *server) { s.ConnState = crowd.watch })
	const get = "GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
	long := dial(t, s, fmt.Sprintf(get, "/long"))
	<-begun
	for range 10 * most {
		dial(t, s, "")
		kept := dial(t, s, fmt.Sprintf(get, "/")) // and goes on waiting
		if status := answered(t, kept); status != http.StatusOK {
			t.Fatalf("a newcomer is answered with %d", status)
		}
		crowd.mu.Lock()
		if n := len(crowd.open); n > most {
			t.Errorf("%d connections are open", n)
		}
		crowd.mu.Unlock()
	}
	close(end)
	if status := answered(t, long); status != http.StatusOK {
		t.Errorf("whoever was being served got %d", status)
	}
}
