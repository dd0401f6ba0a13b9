// Package chain runs, follows and writes to an Ethereum-compatible chain; it knows nothing of jobs.
package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// callTimeout bounds one JSON-RPC call, so that a node that accepts a connection and
// never answers is an error like any other. Log queries on a busy Filecoin node take tens of seconds.
const callTimeout = 60 * time.Second

// Point is one block of the chain.
type Point struct {
	Number uint64      `json:"number"`
	Hash   common.Hash `json:"hash"` // as the node reports it: on Filecoin it is not the hash of the header fields
	Time   uint64      `json:"time"` // block timestamp, seconds since 1970
}

// Client speaks JSON-RPC to one chain. It is safe for concurrent use and
// reconnects by itself at the next call after a lost connection.
type Client struct {
	rpc     *rpc.Client
	chainID *big.Int
	book    callBook
}

// Dial connects to the node at url (http, https, ws or wss) and asks for its chain id.
func Dial(ctx context.Context, url string) (*Client, error) {
	conn, err := rpc.DialContext(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to chain at %s: %w", url, err)
	}
	c := &Client{rpc: conn}
	var id hexutil.Big
	if err := c.call(ctx, &id, "eth_chainId"); err != nil {
		conn.Close()
		return nil, fmt.Errorf("chain at %s does not answer: %w", url, err)
	}
	c.chainID = id.ToInt()
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() { c.rpc.Close() }

// ChainID is the id that the node reported when the client connected.
func (c *Client) ChainID() *big.Int { return new(big.Int).Set(c.chainID) }

// CheckChainID returns an error unless the node serves the chain with id want.
func (c *Client) CheckChainID(want uint64) error {
	if c.chainID.Cmp(new(big.Int).SetUint64(want)) != 0 {
		return fmt.Errorf("the node serves chain %s, the configuration names chain %d: point it at the right node", c.chainID, want)
	}
	return nil
}

// HeadPoint returns the newest block that the node knows.
func (c *Client) HeadPoint(ctx context.Context) (Point, error) {
	b, err := c.head(ctx)
	if err != nil {
		return Point{}, err
	}
	return b.point(), nil
}

// Call runs a read-only call on the state of the newest block.
// A call that reverts gives a *RevertError.
func (c *Client) Call(ctx context.Context, to common.Address, data []byte) ([]byte, error) {
	return c.callAt(ctx, callArgs{To: &to, Data: data}, "latest")
}

// Code returns the code of the contract at addr, empty if there is none.
func (c *Client) Code(ctx context.Context, addr common.Address) ([]byte, error) {
	var code hexutil.Bytes
	err := c.call(ctx, &code, "eth_getCode", addr, "latest")
	return code, err
}

// Balance returns the wei that addr owns at the newest block.
func (c *Client) Balance(ctx context.Context, addr common.Address) (*big.Int, error) {
	var wei hexutil.Big
	err := c.call(ctx, &wei, "eth_getBalance", addr, "latest")
	return wei.ToInt(), err
}

// call makes one JSON-RPC call; its error names the method.
func (c *Client) call(ctx context.Context, out any, method string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := c.rpc.CallContext(ctx, out, method, args...)
	c.book.note(method, err)
	var said rpc.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &said):
		return fmt.Errorf("%s: %w", method, err)
	}
	return noAnswer{fmt.Errorf("%s: %w", method, err)}
}

// callArgs is the transaction object of eth_call and eth_estimateGas.
type callArgs struct {
	From  *common.Address `json:"from,omitempty"`
	To    *common.Address `json:"to,omitempty"`
	Gas   hexutil.Uint64  `json:"gas,omitempty"`
	Value *hexutil.Big    `json:"value,omitempty"`
	Data  hexutil.Bytes   `json:"data"`
}

func (c *Client) callAt(ctx context.Context, args callArgs, block string) ([]byte, error) {
	var out hexutil.Bytes
	if err := c.call(ctx, &out, "eth_call", args, block); err != nil {
		return nil, asRevert(err)
	}
	return out, nil
}

// block holds the header fields that every node reports in the same way.
type block struct {
	Number   hexutil.Uint64 `json:"number"`
	Hash     common.Hash    `json:"hash"`
	Parent   common.Hash    `json:"parentHash"`
	Time     hexutil.Uint64 `json:"timestamp"`
	GasLimit hexutil.Uint64 `json:"gasLimit"`
	BaseFee  *hexutil.Big   `json:"baseFeePerGas"`
}

func (b *block) point() Point {
	return Point{Number: uint64(b.Number), Hash: b.Hash, Time: uint64(b.Time)}
}

// errNoBlock says that a number has no block: not produced yet, or a null round of Filecoin.
var errNoBlock = errors.New("no block with this number")

func (c *Client) blockAt(ctx context.Context, number uint64) (*block, error) {
	var b *block
	err := c.call(ctx, &b, "eth_getBlockByNumber", hexutil.Uint64(number), false)
	switch {
	case err != nil && isNullRound(err), err == nil && b == nil:
		return nil, errNoBlock
	case err != nil:
		return nil, err
	}
	return b, nil
}

func (c *Client) head(ctx context.Context) (*block, error) {
	var b *block
	if err := c.call(ctx, &b, "eth_getBlockByNumber", "latest", false); err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errors.New("the node has no newest block: is it still starting?")
	}
	return b, nil
}

// newest is head for the follower, whose progress is measured by it.
func (c *Client) newest(ctx context.Context) (*block, error) {
	b, err := c.head(ctx)
	if err == nil {
		c.book.saw(uint64(b.Number))
	}
	return b, err
}

func (c *Client) headNumber(ctx context.Context) (uint64, error) {
	var n hexutil.Uint64
	err := c.call(ctx, &n, "eth_blockNumber")
	return uint64(n), err
}
