package node

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// maxConnections of the public server; each takes some 20 KiB.
const maxConnections = 1024

// crowd bounds a server's open connections. For one too many, the one is closed that has waited longest for its first or
// next request; those that have a request stay.
type crowd struct {
	most int

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // in waiting; nil with a request
	waiting *list.List                 // of net.Conn, the longest first
}

func newCrowd(most int) *crowd {
	return &crowd{most: most, open: map[net.Conn]*list.Element{}, waiting: list.New()}
}

// watch is an http.Server's ConnState.
func (c *crowd) watch(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle:
		c.leave(conn)
		c.open[conn] = c.waiting.PushBack(conn)
		if len(c.open) > c.most {
			longest := c.waiting.Front().Value.(net.Conn)
			c.leave(longest)
			longest.Close() // its server notices and ends
		}
	case http.StateActive:
		if waiting := c.open[conn]; waiting != nil {
			c.waiting.Remove(waiting)
			c.open[conn] = nil
		}
	case http.StateClosed, http.StateHijacked:
		c.leave(conn)
	}
}

func (c *crowd) leave(conn net.Conn) {
	if waiting := c.open[conn]; waiting != nil {
		c.waiting.Remove(waiting)
	}
	delete(c.open, conn)
}
