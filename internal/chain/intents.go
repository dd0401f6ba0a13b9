package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Intent is a transaction that somebody wants to happen exactly once.
type Intent struct {
	Key   string         `json:"key"` // the caller's name for it, unique among all of this account's intents
	To    common.Address `json:"to"`
	Data  hexutil.Bytes  `json:"data"`
	Value *big.Int       `json:"value"` // wei; nil is 0
}

// Outcome is what became of an intent.
type Outcome struct {
	Hash       common.Hash    `json:"hash"`               // zero if nothing was sent because it would revert
	Block      uint64         `json:"block"`              // number of the block that has it
	BlockHash  common.Hash    `json:"blockHash"`          // of that block: a reorganisation may put another one in its place
	GasUsed    uint64         `json:"gasUsed"`            // gas
	Contract   common.Address `json:"contract,omitzero"`  // the address that Deploy made
	Reverted   bool           `json:"reverted,omitempty"` // the contract refused it and nothing changed
	RevertData []byte         `json:"-"`                  // what the contract returned with the refusal, if known
}

// Record is an intent with everything needed to finish it after a crash.
type Record struct {
	Intent   Intent    `json:"intent"`
	Create   bool      `json:"create,omitempty"` // Data is the init code of a new contract
	Nonce    uint64    `json:"nonce"`
	Gas      uint64    `json:"gas"`
	TipWei   *big.Int  `json:"tipWei"` // wei per gas, of the newest version
	CapWei   *big.Int  `json:"capWei"` // wei per gas, of the newest version
	Versions []Version `json:"versions"`
	Outcome  *Outcome  `json:"outcome,omitempty"` // nil while pending
}

// spentKey is the key of a record that only keeps a used nonce.
func (r *Record) spentKey() string {
	return fmt.Sprintf("%s, reverted with nonce %d", r.Intent.Key, r.Nonce)
}

// Version is one signed transaction for a record; later ones pay more for the same nonce.
type Version struct {
	Hash common.Hash   `json:"hash"`
	Raw  hexutil.Bytes `json:"raw"`
}

// IntentLog keeps a sender's records. Put and Delete are atomic and durable when they return.
type IntentLog interface {
	Load() ([]Record, error)     // in any order
	Put(records ...Record) error // replaces records with the same key
	Delete(keys ...string) error
}

// PebbleIntents is an IntentLog in its own directory.
type PebbleIntents struct{ db *pebble.DB }

// OpenIntents opens or creates the log in dir. It is an error if another process has it open.
func OpenIntents(dir string) (*PebbleIntents, error) {
	cache := pebble.NewCache(256 << 10)
	defer cache.Unref()
	db, err := pebble.Open(dir, &pebble.Options{
		Cache:        cache,
		MemTableSize: 1 << 20,
		Logger:       silent{},
	})
	if err != nil {
		return nil, fmt.Errorf("open the transaction log in %s (is another process using it?): %w", dir, err)
	}
	return &PebbleIntents{db}, nil
}

// Load returns every record.
func (p *PebbleIntents) Load() (records []Record, err error) {
	it, err := p.db.NewIter(nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.First(); it.Valid(); it.Next() {
		var r Record
		if err := json.Unmarshal(it.Value(), &r); err != nil {
			return nil, fmt.Errorf("transaction log: record %q is damaged: %w", it.Key(), err)
		}
		records = append(records, r)
	}
	return records, it.Error()
}

// Put stores records, durably.
func (p *PebbleIntents) Put(records ...Record) error {
	b := p.db.NewBatch()
	defer b.Close()
	for _, r := range records {
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := b.Set([]byte(r.Intent.Key), raw, nil); err != nil {
			return err
		}
	}
	return b.Commit(pebble.Sync)
}

// Delete forgets records, durably.
func (p *PebbleIntents) Delete(keys ...string) error {
	b := p.db.NewBatch()
	defer b.Close()
	for _, k := range keys {
		if err := b.Delete([]byte(k), nil); err != nil {
			return err
		}
	}
	return b.Commit(pebble.Sync)
}

// Close releases the directory.
func (p *PebbleIntents) Close() error { return p.db.Close() }

// silent drops pebble's chatter; what matters comes back as errors.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}

// Fatalf is called when the database cannot go on, as after a write that the disk refused. It ends the process, from a
// goroutine in which nobody recovers: the next write would wait for ever.
func (silent) Fatalf(format string, args ...any) {
	go panic("transaction log: free some space, see that the disk is healthy and start again: " + fmt.Sprintf(format, args...))
	select {}
}
