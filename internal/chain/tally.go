package chain

import (
	"maps"
	"math/big"
	"sync"
)

// CallCount counts JSON-RPC calls of one method.
type CallCount struct{ Calls, Errors uint64 }

// callBook counts JSON-RPC calls by method.
type callBook struct {
	mu     sync.Mutex
	counts map[string]CallCount
	newest uint64 // block that the node last named as its newest
}

func (b *callBook) note(method string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counts == nil {
		b.counts = map[string]CallCount{}
	}
	c := b.counts[method]
	c.Calls++
	if err != nil {
		c.Errors++
	}
	b.counts[method] = c
}

func (b *callBook) saw(head uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.newest = head
}

// Calls returns how many JSON-RPC calls were made, by method. What a node refuses, also for good reasons, is an error.
func (c *Client) Calls() map[string]CallCount {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	return maps.Clone(c.book.counts)
}

// Newest is the number of the newest block that the follower has heard of; 0 if none.
func (c *Client) Newest() uint64 {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	return c.book.newest
}

// Selector is the first four bytes of a transaction's data, which name the function it calls.
type Selector [4]byte

// Traffic counts the transactions that called one function since this process started.
type Traffic struct {
	// Sent counts intents that a node took for the first time, and Replaced versions that pay more.
	Sent, Replaced uint64
	// Mined, Reverted and Failed are how they ended: done, refused by the contract (also before sending), or impossible.
	Mined, Reverted, Failed uint64
	// Gas used and FeeWei paid by the mined and the reverted.
	Gas    uint64
	FeeWei *big.Int
}

// trafficBook keeps Traffic by function.
type trafficBook struct {
	mu sync.Mutex
	by map[Selector]*Traffic
}

func (b *trafficBook) note(f *flight, change func(*Traffic)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = map[Selector]*Traffic{}
	}
	var function Selector
	if !f.rec.Create {
		copy(function[:], f.rec.Intent.Data)
	}
	if b.by[function] == nil {
		b.by[function] = &Traffic{FeeWei: new(big.Int)}
	}
	change(b.by[function])
}

// ended counts the end of a flight that was mined.
func (b *trafficBook) ended(f *flight, r *receipt) {
	b.note(f, func(t *Traffic) {
		if r.Status == 0 {
			t.Reverted++
		} else {
			t.Mined++
		}
		t.Gas += uint64(r.GasUsed)
		if r.PriceWei != nil {
			t.FeeWei.Add(t.FeeWei, new(big.Int).Mul(r.PriceWei.ToInt(), new(big.Int).SetUint64(uint64(r.GasUsed))))
		}
	})
}

// Traffic returns what became of the account's transactions, by function; plain transfers and deployments have the zero
// selector.
func (s *Sender) Traffic() map[Selector]Traffic {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	out := make(map[Selector]Traffic, len(s.book.by))
	for function, t := range s.book.by {
		copied := *t
		copied.FeeWei = new(big.Int).Set(t.FeeWei)
		out[function] = copied
	}
	return out
}

// Queue returns how many intents wait to be signed, and how many are signed and not done.
func (s *Sender) Queue() (waiting, pending int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.all {
		if f.rec.Outcome == nil {
			pending++
		}
	}
	waiting = len(s.waiting)
	return waiting, pending - waiting
}
