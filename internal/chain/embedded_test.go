package chain

import (
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

func TestEmbeddedRefusesBadConfig(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		cfg  EmbeddedConfig
		want string
	}{
		"no directory": {EmbeddedConfig{ChainID: 1, PeriodSeconds: 1}, "name a directory"},
		"no chain id":  {EmbeddedConfig{Dir: dir, PeriodSeconds: 1}, "chain id"},
		"no period":    {EmbeddedConfig{Dir: dir, ChainID: 1}, "at least 1 second"},
		"negative wei": {EmbeddedConfig{Dir: dir, ChainID: 1, PeriodSeconds: 1, Alloc: map[common.Address]*big.Int{{}: big.NewInt(-1)}}, "2^256-1"},
		"bad address":  {EmbeddedConfig{Dir: dir, ChainID: 1, PeriodSeconds: 1, HTTPAddr: "256.0.0.1:1"}, "choose another address"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := StartEmbedded(c.cfg)
			if err == nil {
				e.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestEmbeddedContinuesAndGuardsItsDirectory(t *testing.T) {
	dir := t.TempDir()
	e := startChain(t, dir)
	if _, err := StartEmbedded(testConfig(dir, 1)); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Fatalf("second start on an open directory: %v", err)
	}
	c := dial(t, e.URL())
	mine(t, e, 5)
	before, err := c.HeadPoint(t.Context())
	if err != nil || before.Number < 5 {
		t.Fatalf("head %+v, %v", before, err)
	}
	if wei, err := c.Balance(t.Context(), testAddr); err != nil || wei.Cmp(ether(1000)) != 0 {
		t.Fatalf("genesis balance %v, %v", wei, err)
	}
	if err := c.CheckChainID(1); err == nil || !strings.Contains(err.Error(), "configuration names chain 1") {
		t.Fatalf("CheckChainID(1) = %v", err)
	}
	if err := c.CheckChainID(testChainID); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	other := testConfig(dir, 1)
	other.ChainID++
	if _, err := StartEmbedded(other); err == nil || !strings.Contains(err.Error(), "holds chain") {
		t.Fatalf("start with another chain id: %v", err)
	}

	c = dial(t, startChain(t, dir).WSURL())
	if ok, err := c.has(t.Context(), before); err != nil || !ok {
		t.Fatalf("block %d is gone after a restart: %v, %v", before.Number, ok, err)
	}
	if err := os.WriteFile(filepath.Join(dir, genesisFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadGenesis(testConfig(dir, 1)); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Fatalf("damaged genesis: %v", err)
	}
}

func TestEmbeddedLeavesTheProgramsLogAlone(t *testing.T) {
	before := slog.Default()
	startChain(t, t.TempDir())
	if slog.Default() != before {
		t.Fatal("the program's logger was replaced")
	}
}

func TestEmbeddedMakesBlocksByItself(t *testing.T) {
	e, err := StartEmbedded(testConfig(t.TempDir(), 1))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := dial(t, e.WSURL())
	var last Point
	eventually(t, "three blocks", func() bool {
		p, err := c.HeadPoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p.Number > last.Number && p.Time <= last.Time {
			t.Fatalf("time went from %d to %d", last.Time, p.Time)
		}
		last = p
		return p.Number >= 3
	})
}

func TestEmbeddedExposesOnlyPublicMethods(t *testing.T) {
	e := startChain(t, t.TempDir())
	for _, url := range []string{e.URL(), e.WSURL()} {
		c := dial(t, url)
		for _, method := range []string{"debug_setHead", "admin_nodeInfo", "personal_listAccounts", "engine_exchangeCapabilities", "miner_setExtra", "dev_addWithdrawal", "testing_buildBlockV1", "txpool_content"} {
			if err := c.call(t.Context(), nil, method); err == nil || !strings.Contains(err.Error(), "does not exist") {
				t.Errorf("%s over %s: %v", method, url, err)
			}
		}
	}
	req, _ := http.NewRequest("POST", e.URL(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`))
	req.Host = "evil.example"
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Fatalf("a page that rebinds its name to this address got %d: %s", resp.StatusCode, body)
	}
}
