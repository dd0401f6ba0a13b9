package chain

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ethereum/go-ethereum/common"
)

func TestIntentsAreKept(t *testing.T) {
	dir := t.TempDir()
	log := openIntents(t, dir)
	a := Record{
		Intent: Intent{Key: "a", To: testAddr, Data: []byte{1, 2}, Value: big.NewInt(5)},
		Nonce:  7, Gas: 21000, TipWei: big.NewInt(1), CapWei: big.NewInt(2),
		Versions: []Version{{Hash: common.Hash{3}, Raw: []byte{4}}},
	}
	b := a
	b.Intent.Key = "b"
	if err := log.Put(a, b); err != nil {
		t.Fatal(err)
	}
	a.Outcome = &Outcome{Hash: common.Hash{3}, Block: 9, GasUsed: 21000}
	if err := log.Put(a); err != nil {
		t.Fatal(err)
	}
	if err := log.Delete("b", "never there"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenIntents(dir); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("opened twice: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = openIntents(t, dir)
	defer log.Close()
	got, err := log.Load()
	if err != nil || !reflect.DeepEqual(got, []Record{a}) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestSenderRefusesAForeignOrDamagedLog(t *testing.T) {
	e := startChain(t, t.TempDir())
	c, dir := dial(t, e.URL()), t.TempDir()
	s, stop := startSender(t, c, testKey, dir, SenderConfig{})
	deployCounter(t, e, s)
	stop()
	log := openIntents(t, dir)
	defer log.Close()
	if _, err := NewSender(c, poorKey, log, SenderConfig{}); err == nil || !strings.Contains(err.Error(), "another account") {
		t.Fatalf("a log of another account: %v", err)
	}
	for name, raw := range map[string][]byte{"not JSON": []byte("{"), "no transaction": mustJSON(t, Record{Intent: Intent{Key: "x"}})} {
		if err := log.db.Set([]byte("x"), raw, pebble.Sync); err != nil {
			t.Fatal(err)
		}
		if _, err := NewSender(c, testKey, log, SenderConfig{}); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
