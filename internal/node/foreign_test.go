package node_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/filecoin-project/bacalhau/internal/market"
)

// foreign is a chain in a process of its own, of a program that is not ours.
type foreign struct {
	*testing.T
	addr    string
	command []string
	process *exec.Cmd
	funder  *ecdsa.PrivateKey
	rpc     *rpc.Client
}

// startGeth starts `geth --dev`, built by Go from tools/geth, with a block every second.
func startGeth(t *testing.T) *foreign {
	t.Helper()
	c := newForeign(t)
	c.command = []string{
		builtTool(t, "geth"), "--dev", "--dev.period", "1", "--datadir", t.TempDir(),
		"--miner.pending.feeRecipient", crypto.PubkeyToAddress(c.funder.PublicKey).Hex(), // has all the money
		"--nodiscover", "--maxpeers", "0", "--ipcdisable", "--verbosity", "1", "--authrpc.port", port(freeAddress(t)),
		"--http", "--http.addr", "127.0.0.1", "--http.port", port(c.addr), "--http.api", "eth,net,web3",
		"--ws", "--ws.addr", "127.0.0.1", "--ws.port", port(c.addr), "--ws.api", "eth,net,web3",
	}
	c.start()
	return c
}

// startAnvil starts anvil, which npm installed from contracts/package-lock.json, with a block every second. Its clock is
// ahead of this machine's by so much.
func startAnvil(t *testing.T, ahead time.Duration) *foreign {
	t.Helper()
	c := newForeign(t)
	c.command = []string{
		installedAnvil(t), "--host", "127.0.0.1", "--port", port(c.addr), "--block-time", "1", "--quiet",
		"--timestamp", strconv.FormatInt(time.Now().Add(ahead).Unix(), 10),
	}
	c.start()
	c.call(nil, "anvil_setBalance", crypto.PubkeyToAddress(c.funder.PublicKey), (*hexutil.Big)(new(big.Int).Lsh(big.NewInt(1), 100)))
	return c
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return &foreign{T: t, addr: freeAddress(t), funder: key}
}

// builtTool has Go build a program of tools/<name>, unless its cache has it, and returns its path.
func builtTool(t *testing.T, name string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-n", "-modfile=../../tools/"+name+"/go.mod", name)
	cmd.Env = append(os.Environ(), "GOFLAGS=-pgo=off") // with its own profile it would share no compiled package with us
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	path, err := cmd.Output()
	if err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, stderr.Bytes())
	}
	return strings.TrimSpace(string(path))
}

func installedAnvil(t *testing.T) string {
	t.Helper()
	arch, binary := runtime.GOARCH, "anvil"
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	path := filepath.Join("../../contracts/node_modules/@foundry-rs", "anvil-"+runtime.GOOS+"-"+arch, "bin", binary)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: install it with `make contracts/node_modules`", err)
	}
	return path
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// start starts the process and waits until it answers.
func (c *foreign) start() {
	c.Helper()
	c.process = exec.Command(c.command[0], c.command[1:]...)
	c.process.Stderr = os.Stderr
	if err := c.process.Start(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(c.stop)
	eventually(c.T, func() (ok bool) {
		var version string
		var err error
		if c.rpc == nil {
			c.rpc, err = rpc.Dial("http://" + c.addr)
		}
		if err == nil && c.rpc.CallContext(c.Context(), &version, "web3_clientVersion") == nil {
			c.Logf("runs against %s", version)
			return true
		}
		return false
	})
}

// stop ends the process as an administrator would.
func (c *foreign) stop() {
	if c.process.ProcessState != nil {
		return
	}
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		c.Error(err)
	}
	c.process.Wait()
}

func (c *foreign) httpURL() string { return "http://" + c.addr }
func (c *foreign) wsURL() string   { return "ws://" + c.addr }

func (c *foreign) call(out any, method string, args ...any) {
	c.Helper()
	if err := c.rpc.CallContext(c.Context(), out, method, args...); err != nil {
		c.Fatalf("%s: %v", method, err)
	}
}

// undo takes the first transaction of each kind that reaches the market off the chain, a block or more with it, until ctx
// ends. What it undid is counted by the contract's function.
func (c *foreign) undo(ctx context.Context, market common.Address) map[string]int {
	undone := map[string]int{}
	var seen uint64
	for ctx.Err() == nil {
		var head hexutil.Uint64
		if c.rpc.CallContext(ctx, &head, "eth_blockNumber") != nil {
			continue
		}
		if seen == 0 {
			seen = uint64(head) - 1
		}
		for n := seen + 1; n <= uint64(head); n++ {
			kinds, err := c.kinds(ctx, n, market)
			if err != nil {
				break // and ask again
			}
			fresh := slices.ContainsFunc(kinds, func(kind string) bool { return undone[kind] == 0 })
			if fresh {
				depth := uint64(head) - n + 1
				if c.rpc.CallContext(ctx, nil, "anvil_reorg", depth, []any{}) != nil {
					break // and try again
				}
				for _, kind := range kinds {
					undone[kind]++
				}
				n = uint64(head) // all blocks above went too
			}
			seen = n
		}
		time.Sleep(100 * time.Millisecond)
	}
	return undone
}

// kinds lists the calls of the contract in a block.
func (c *foreign) kinds(ctx context.Context, number uint64, to common.Address) (kinds []string, err error) {
	var block struct {
		Transactions []struct {
			To    *common.Address `json:"to"`
			Input hexutil.Bytes   `json:"input"`
		} `json:"transactions"`
	}
	if err := c.rpc.CallContext(ctx, &block, "eth_getBlockByNumber", hexutil.Uint64(number), true); err != nil {
		return nil, err
	}
	for _, tx := range block.Transactions {
		if call, err := market.DecodeCall(tx.Input); err == nil && tx.To != nil && *tx.To == to {
			kinds = append(kinds, call.Method())
		}
	}
	return kinds, nil
}

// moody stands between the nodes and a chain and fails in the ways of public endpoints.
type moody struct {
	*httptest.Server
	mood atomic.Pointer[mood]
}

// mood answers in place of the chain; nil is to pass everything on.
type mood struct {
	name   string
	answer func(w http.ResponseWriter, r *http.Request, honest http.Handler)
}

func startMoody(t *testing.T, chain string) *moody {
	t.Helper()
	target, err := url.Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) }
	m := &moody{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if mood := m.mood.Load(); mood != nil {
			mood.answer(w, r, proxy)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

// moods are what a public endpoint does now and then. Each ends with the request.
func moods(market common.Address) []*mood {
	status := func(code int) *mood {
		return &mood{http.StatusText(code), func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			http.Error(w, http.StatusText(code), code)
		}}
	}
	change := func(name string, alter func(method string, body []byte) []byte) *mood {
		return &mood{name, func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			raw, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			var q struct{ Method string }
			_ = json.Unmarshal(raw, &q)
			r.Body = io.NopCloser(bytes.NewReader(raw))
			answer := httptest.NewRecorder()
			r.Header.Set("Accept-Encoding", "identity")
			honest.ServeHTTP(answer, r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(alter(q.Method, answer.Body.Bytes()))
		}}
	}
	logs := func(name, result string) *mood {
		return change(name, func(method string, body []byte) []byte {
			if method != "eth_getLogs" {
				return body
			}
			var a map[string]json.RawMessage
			if json.Unmarshal(body, &a) != nil {
				return body
			}
			a["result"] = json.RawMessage(result)
			raw, _ := json.Marshal(a)
			return raw
		})
	}
	event := func(contract common.Address, topics, data string) string {
		return fmt.Sprintf(`[{"address":"%s","topics":%s,"data":"%s","blockNumber":"0x1","blockHash":"%s","transactionHash":"%s","transactionIndex":"0x0","logIndex":"0x0"}]`,
			contract, topics, data, common.Hash{1}, common.Hash{2})
	}
	return []*mood{
		status(http.StatusTooManyRequests), status(http.StatusBadGateway), status(http.StatusInternalServerError),
		{"hangs", func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection goes unnoticed
			<-r.Context().Done()
		}},
		{"hangs up", func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }},
		change("truncated", func(_ string, body []byte) []byte { return body[:len(body)/2] }),
		change("no JSON", func(string, []byte) []byte { return []byte("<html>please log in</html>") }),
		logs("garbage for logs", `{"surprise": 1}`),
		logs("another contract's events", event(common.Address{7}, "[]", "0x")),
		logs("events of unknown blocks", event(market, "[]", "0x")),
	}
}

// weather has the chain behind the endpoint fail in every way in turn, each for a while, and at last go away and come back.
func (c *foreign) weather(m *moody, market common.Address, spell time.Duration) {
	for _, mood := range moods(market) {
		c.Logf("chain: %s", mood.name)
		m.mood.Store(mood)
		time.Sleep(spell)
		m.mood.Store(nil)
		m.CloseClientConnections() // also of who hangs
		time.Sleep(spell)
	}
	c.Log("chain: stops")
	c.stop()
	time.Sleep(spell)
	c.Log("chain: starts again")
	c.start()
}
