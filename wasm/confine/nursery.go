package confine

import (
	"errors"
	"runtime"
	"sync"
)

// nursery starts children, one ahead of demand: starting the program takes longer than most of what it is then asked to
// do.
type nursery struct {
	engine string
	spill  string   // folder for outputs that are too large for memory, or ""
	env    []string // "NAME=value", of the children
	ready  chan newborn
	closed chan struct{}
	ended  chan struct{} // closed once no more children come
	graves sync.WaitGroup
}

type newborn struct {
	child *child
	err   error
}

func newNursery(engine, spill string, env []string) *nursery {
	n := &nursery{
		engine: engine, spill: spill, env: env,
		ready: make(chan newborn), closed: make(chan struct{}), ended: make(chan struct{}),
	}
	go n.breed()
	return n
}

// breed starts children until close. They die with the thread that has started them, so it keeps one for itself.
func (n *nursery) breed() {
	defer close(n.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		c, err := start(n.engine, n.spill, n.env)
		select {
		case n.ready <- newborn{c, err}:
		case <-n.closed:
			if err == nil {
				n.bury(c)
			}
			return
		}
	}
}

// take returns a child that waits for its job. The caller buries it.
func (n *nursery) take() (*child, error) {
	select {
	case <-n.closed:
		return nil, errors.New("run: the runner is closed")
	case b := <-n.ready:
		return b.child, b.err
	}
}

// bury ends a child if it has not ended by itself. Nobody has to wait until the system has taken its memory back.
func (n *nursery) bury(c *child) {
	c.kill()
	n.graves.Go(func() {
		c.wait()
		c.clean() // an empty folder among temporary files harms nobody
	})
}

// close waits until all children have ended.
func (n *nursery) close() {
	close(n.closed)
	<-n.ended
	n.graves.Wait()
}
