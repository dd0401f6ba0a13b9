package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/internal/seal"
)

// home makes the commands of a test use an empty data folder.
func home(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "node")
	t.Setenv(envDataDir, dir)
	return dir
}

// TestLayers: a flag goes before the environment, that before the file, that before the default.
func TestLayers(t *testing.T) {
	dir := home(t)
	file := write(t, "# a comment\nchain: filecoin\nmin-bid: 3gwei\nlog-level: warn\n\nparallel: 3\ncontract: 0x00000000000000000000000000000000000000ff\n", dir, configFile)
	t.Setenv("BACALHAU_MIN_BID", "2gwei")
	t.Setenv("BACALHAU_LOG_LEVEL", "error")
	t.Setenv("BACALHAU_ANNOUNCE", "http://user:sesame@node.example.org/v1/0123456789abcdef0123456789abcdef?key=secret")
	got := bacalhau(t, "config", "--output", "json", "--min-bid", "1gwei", "--requester")
	if got.code != 0 {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	var report []settingReport
	decodeInto(t, got.stdout, &report)
	for _, want := range []settingReport{
		{Name: "min-bid", Value: "1gwei", From: "--min-bid"},
		{Name: "requester", Value: "true", From: "--requester"},
		{Name: "log-level", Value: "error", From: "BACALHAU_LOG_LEVEL"},
		{Name: "parallel", Value: "3", From: file + ":6"},
		{Name: "chain", Value: "filecoin", From: file + ":2"},
		{Name: "contract", Value: "0x00000000000000000000000000000000000000ff", From: file + ":7"},
		{Name: "compute", Value: "false", From: "default"},
		{Name: "announce", Value: "http://xxxxx@node.example.org/v1/xxxxx?xxxxx", From: "BACALHAU_ANNOUNCE"},
	} {
		i := slices.IndexFunc(report, func(s settingReport) bool { return s.Name == want.Name })
		if i < 0 || report[i].Value != want.Value || report[i].From != want.From {
			t.Errorf("want %+v among %+v", want, report)
		}
	}
	table := bacalhau(t, "config", "--requester")
	for _, secret := range []string{"sesame", "secret", "0123456789abcdef"} {
		if strings.Contains(table.stdout, secret) || strings.Contains(got.stdout, secret) {
			t.Errorf("a secret is shown: %s", table.stdout)
		}
	}
}

// TestBadSettings: each mistake is named with where it is made and what would be right.
func TestBadSettings(t *testing.T) {
	const contract = "--contract 0x00000000000000000000000000000000000000ff "
	const compute = contract + "--compute --chain http://127.0.0.1:1 --allow-private "
	for _, test := range []struct{ file, args, says string }{
		{"", "config " + compute + "--fuel-share 1.5", "fuel-share: 1.5 is not above 0"},
		{"", "config " + compute + "--max-memory much", `"much" is not a size`},
		{"", "config " + compute + "--deny-clients 0x12,0x34", `"0x12" is not an address`},
		{"", "config " + compute + "--min-execute 1h --max-execute 1m", "the shortest time for an execution"},
		{"", "config " + compute + "--max-execute 1500ms", "max-execute: 1.5s is not a whole number of seconds"},
		{"comute: true", "config", `config.yaml:1: there is no setting "comute"; did you mean "compute"?`},
		{"chain: filecoin\nchain: calibration", "config", "config.yaml:2: chain is set a second time"},
		{"- chain", "config", "config.yaml:1: not a list of `name: value`"},
		{"chain: [filecoin]", "config", "config.yaml:1: chain takes one plain value"},
		{"chain: {", "config", "config.yaml: yaml:"},
		{"min-bid: much", "config", `config.yaml:1: "much" is not an amount`},
		{"contract: 0x12", "config", `config.yaml:1: "0x12" is not an address`},
		{"", "serve", "chain: name the chain: embedded, filecoin, calibration, or the URL"},
		{"", "serve --chain filecoin --compute", "contract: give the address of the market on chain filecoin"},
		{"", "serve --chain filecon --compute " + contract, `chain: "filecon" is no chain`},
		{"", "serve --chain ftp://x --compute " + contract, `chain: "ftp://x" is no chain`},
		{"", "serve --chain filecoin " + contract, "compute, requester: say what the node is"},
		{"", "serve --chain filecoin --compute " + contract, "listen: others cannot reach 127.0.0.1:4242"},
		{"", "serve --chain filecoin --compute --listen 0.0.0.0:4242 " + contract, "announce: give the URL at which others reach 0.0.0.0:4242"},
		{"", "serve --chain filecoin --compute --announce node.example.org " + contract, `announce: "node.example.org" is not a URL`},
		{"", "serve --chain embedded --listen 4242", `listen: "4242" is not an address`},
		{"", "serve --chain embedded --chain-period 1500ms", "chain-period: 1.5s is not a whole number of seconds"},
		{"", "serve --chain embedded --engine jit", `engine: "jit" is not in this build`},
		{"", "serve --chain embedded --log-level loud", `log-level: "loud" is none of`},
		{"", "serve --chain embedded --trace-endpoint localhost:4318", `trace-endpoint: "localhost:4318" is not a URL such as`},
		{"", "serve --chain embedded --max-pieces 0", "max-pieces: a compute node that holds no piece does nothing"},
		{"", "serve --chain embedded", "has no wallet: make one with `bacalhau init"},
		{"", "deploy", "chain: name a chain that runs already"},
		{"", "deploy --chain calibration --parameters private", `--parameters "private" is neither public nor development`},
		{"", "deploy --chain calibration --set settleWindow", "is not of the form name=value"},
		{"", "deploy --chain calibration --set window=1h", "--set window: no such parameter; there are minStake"},
		{"", "deploy --chain calibration --set settleWindow=24", "--set settleWindow: \"24\" is not a value of it: give a time such as 24h"},
		{"", "deploy --chain calibration --set jurySize=300", "--set jurySize: \"300\" is not a value of it"},
	} {
		t.Run(test.args+" "+test.file, func(t *testing.T) {
			dir := home(t)
			if test.file != "" {
				write(t, test.file, dir, configFile)
			}
			got := bacalhau(t, strings.Fields(test.args)...)
			if got.code == exitOK || !strings.Contains(got.stderr, test.says) {
				t.Errorf("exit code %d, stderr %q; want one that says %q", got.code, got.stderr, test.says)
			}
		})
	}
}

// TestInit makes a set-up, which works and stays as it is when init runs again.
func TestInit(t *testing.T) {
	dir := home(t)
	key := write(t, "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318\n", t.TempDir(), "key")
	args := []string{"init", "--output", "json", "--chain", "http://127.0.0.1:9", "--contract", "0x00000000000000000000000000000000000000ff", "--compute", "--import", key}
	var first, second initReport
	decodeInto(t, bacalhau(t, args...).stdout, &first)
	const wallet = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
	if first.Wallet.Hex() != wallet || len(first.Made) == 0 || len(first.Next) == 0 {
		t.Errorf("made %+v", first)
	}
	file := read(t, dir, configFile)
	for _, line := range []string{"compute: true", "allow-private: true", "chain: http://127.0.0.1:9"} {
		if !strings.Contains(file, line+"\n") {
			t.Errorf("no line %q in\n%s", line, file)
		}
	}
	decodeInto(t, bacalhau(t, "init", "--output", "json", "--requester", "--min-bid", "7gwei").stdout, &second)
	if second.Wallet != first.Wallet || len(second.Made) != 0 || read(t, dir, configFile) != file {
		t.Errorf("made again %+v\n%s", second, read(t, dir, configFile))
	}
	if got := bacalhau(t, "wallet", "import", key); got.code == exitOK || !strings.Contains(got.stderr, seal.ErrKeyExists.Error()) {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
	if got := bacalhau(t, "wallet", "list"); got.stdout != wallet+"\n" {
		t.Errorf("the wallets are %q", got.stdout)
	}
}
