package chain

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// The test contract, by hand. Empty call data reverts with 0xdeadbeef; call data that starts
// with 01 succeeds once and then reverts; any other counts up and logs the
// call data under the new count.
//
//	00 CALLDATASIZE ISZERO PUSH1 2b JUMPI
//	05 PUSH0 CALLDATALOAD PUSH0 BYTE PUSH1 01 EQ PUSH1 1f JUMPI
//	0f CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY
//	13 PUSH1 01 PUSH0 SLOAD ADD DUP1 PUSH0 SSTORE
//	1b CALLDATASIZE PUSH0 LOG1 STOP
//	1f JUMPDEST PUSH1 01 SLOAD PUSH1 2b JUMPI PUSH1 01 DUP1 SSTORE STOP
//	2b JUMPDEST PUSH4 deadbeef PUSH1 e0 SHL PUSH0 MSTORE PUSH1 04 PUSH0 REVERT
//
// The init code before it copies and returns these 58 bytes.
var counterInit = common.FromHex("603a8060095f395ff3" +
	"3615602b575f355f1a600114601f57365f5f3760015f5401805f55365fa100" +
	"5b600154602b5760018055005b63deadbeef60e01b5f5260045ffd")

var (
	testKey, _ = crypto.HexToECDSA("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291")
	testAddr   = crypto.PubkeyToAddress(testKey.PublicKey)
	poorKey, _ = crypto.HexToECDSA("8a1f9a8f95be41cd7ccb6168179afb4504aefe388d1e14474d32c45c72ce7b7a")
)

const (
	testChainID = 31_415_926
	byHand      = 1 << 30 // seconds: a period so long that only the test makes blocks
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDirVar); dir != "" {
		runChild(dir)
	}
	if dir := os.Getenv(fillDirVar); dir != "" {
		fmt.Fprintln(os.Stderr, fill(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func ether(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

func testConfig(dir string, period uint64) EmbeddedConfig {
	return EmbeddedConfig{Dir: dir, ChainID: testChainID, PeriodSeconds: period, Alloc: map[common.Address]*big.Int{testAddr: ether(1000)}}
}

// startChain runs a chain on which the test makes the blocks.
func startChain(t testing.TB, dir string) *Embedded {
	t.Helper()
	e, err := StartEmbedded(testConfig(dir, byHand))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func mine(t testing.TB, e *Embedded, blocks int) {
	t.Helper()
	for range blocks {
		if err := e.seal(0); err != nil {
			t.Fatal(err)
		}
	}
}

// rewind takes the blocks above number off the chain; the next block made is another one.
func rewind(t testing.TB, e *Embedded, number uint64) {
	t.Helper()
	e.sealMu.Lock()
	defer e.sealMu.Unlock()
	if err := e.eth.BlockChain().SetHead(number); err != nil {
		t.Fatal(err)
	}
}

func dial(t testing.TB, url string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func openIntents(t testing.TB, dir string) *PebbleIntents {
	t.Helper()
	log, err := OpenIntents(dir)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// startSender runs a sender until the test ends or stop is called.
func startSender(t testing.TB, c *Client, key *ecdsa.PrivateKey, dir string, cfg SenderConfig) (s *Sender, stop func()) {
	t.Helper()
	log := openIntents(t, dir)
	cfg.Poll = 20 * time.Millisecond
	s, err := NewSender(c, key, log, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
		log.Close()
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return s, stop
}

// mineUntil makes blocks until done is closed; patience runs out after a minute.
func mineUntil(t testing.TB, e *Embedded, done <-chan struct{}) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case <-done:
			return
		case <-limit:
			t.Fatal("nothing after a minute of blocks")
		case <-time.After(30 * time.Millisecond):
			mine(t, e, 1)
		}
	}
}

// during runs f while blocks are made.
func during(t testing.TB, e *Embedded, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	mineUntil(t, e, done)
}

// deployCounter puts the test contract on the chain.
func deployCounter(t testing.TB, e *Embedded, s *Sender) Outcome {
	t.Helper()
	var out Outcome
	var err error
	during(t, e, func() { out, err = s.Deploy(t.Context(), "deploy", counterInit) })
	if err != nil || out.Reverted {
		t.Fatalf("deploy: %+v, %v", out, err)
	}
	return out
}

// count is the contract's counter.
func count(t testing.TB, c *Client, contract common.Address) uint64 {
	t.Helper()
	var word common.Hash
	if err := c.call(t.Context(), &word, "eth_getStorageAt", contract, "0x0", "latest"); err != nil {
		t.Fatal(err)
	}
	return word.Big().Uint64()
}

// eventually waits for ok; it fails the test after a minute.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
