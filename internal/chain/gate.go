package chain

import (
	"net"
	"sync"
)

// gate holds back every answer of the embedded chain while a new block is not yet on
// disk. An answer is computed before it is written, so one that passes the open gate
// can only tell of blocks that a kill -9 cannot take away.
type gate struct {
	mu   sync.RWMutex
	fail error // set once, for ever: the disk refused a block
}

// during closes the gate while f makes a block durable; an error of f shuts it for good.
func (g *gate) during(f func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail == nil {
		g.fail = f()
	}
	return g.fail
}

// pass waits until no block is between visible and durable.
func (g *gate) pass() error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.fail
}

// gatedListener puts every accepted connection behind the gate.
type gatedListener struct {
	net.Listener
	gate *gate
}

func (l gatedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return gatedConn{conn, l.gate}, nil
}

type gatedConn struct {
	net.Conn
	gate *gate
}

func (c gatedConn) Write(b []byte) (int, error) {
	if err := c.gate.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
