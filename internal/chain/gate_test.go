package chain

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Whatever way a client asks, it hears of a block only once the block is on disk.
func TestNobodyHearsOfABlockBeforeItIsDurable(t *testing.T) {
	e := startChain(t, t.TempDir())
	mine(t, e, 1)
	for name, url := range map[string]string{"HTTP": e.URL(), "WebSocket": e.WSURL()} {
		c := dial(t, url)
		before, err := c.HeadPoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var durable atomic.Bool
		type reply struct {
			head  Point
			early bool
			err   error
		}
		heard := make(chan reply, 1)
		err = e.gate.during(func() error {
			e.beacon.Commit()
			go func() {
				p, err := c.HeadPoint(t.Context())
				heard <- reply{p, !durable.Load(), err}
			}()
			// Long enough for an answer to come through if nothing held it back.
			time.Sleep(300 * time.Millisecond)
			durable.Store(true)
			return e.eth.ChainDb().SyncKeyValue()
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := <-heard; r.err != nil || r.early || r.head.Number != before.Number+1 {
			t.Fatalf("over %s: %+v after block %d", name, r, before.Number)
		}
	}
}

func TestAFailedDiskSilencesTheChain(t *testing.T) {
	e := startChain(t, t.TempDir())
	c := dial(t, e.URL())
	full := errors.New("no space left")
	if err := e.gate.during(func() error { return full }); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if p, err := c.HeadPoint(t.Context()); err == nil {
		t.Fatalf("the chain still tells of block %d", p.Number)
	}
	if err := e.seal(0); !errors.Is(err, full) {
		t.Fatalf("the chain goes on: %v", err)
	}
}

// TestNoBlockWaitsForAClient: a client asks for every head a thousand times and then reads nothing.
func TestNoBlockWaitsForAClient(t *testing.T) {
	e := startChain(t, t.TempDir())
	deaf, _, err := websocket.DefaultDialer.Dial(e.WSURL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	if err := deaf.NetConn().(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		call := []byte(`{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}`)
		if err := deaf.WriteMessage(websocket.TextMessage, call); err != nil {
			t.Fatal(err)
		}
		if _, _, err := deaf.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	}
	mine(t, e, 50) // for ever, if one waits
	if _, err := dial(t, e.URL()).HeadPoint(t.Context()); err != nil {
		t.Fatal(err)
	}
}
