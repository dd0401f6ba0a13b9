package seal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

func newKey(t *testing.T, dir, password string) common.Address {
	t.Helper()
	address, err := NewKey(dir, password, true)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestKeyRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	first, second := newKey(t, dir, "one"), newKey(t, dir, "two")
	key, err := LoadKey(dir, second, "two")
	if err != nil {
		t.Fatal(err)
	}
	if got := crypto.PubkeyToAddress(key.PublicKey); got != second {
		t.Errorf("loaded the key of %s, want %s", got, second)
	}
	if got, err := Keys(dir); err != nil || !slices.Equal(got, []common.Address{first, second}) {
		t.Errorf("got %v, error %v, want %v and %v", got, err, first, second)
	}
	if _, err := StoreKey(dir, key, "three", true); !errors.Is(err, ErrKeyExists) {
		t.Errorf("storing twice: got %v, want ErrKeyExists", err)
	}
}

func TestKeyFileIsPrivate(t *testing.T) {
	dir := t.TempDir()
	newKey(t, dir, "x")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("folder has %d files, error %v; want 1", len(entries), err)
	}
	info, err := entries[0].Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
}

func TestLoadKeyErrors(t *testing.T) {
	dir := t.TempDir()
	address := newKey(t, dir, "right")
	if _, err := LoadKey(dir, address, "wrong"); !errors.Is(err, ErrWrongPassword) {
		t.Errorf("got %v, want ErrWrongPassword", err)
	}
	if _, err := LoadKey(dir, common.Address{1}, "right"); !errors.Is(err, ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
	if _, err := LoadKey(filepath.Join(dir, "absent"), address, "right"); !errors.Is(err, ErrNoKey) {
		t.Errorf("absent folder: got %v, want ErrNoKey", err)
	}
}

// A file whose plain address was changed must not pass for another key.
func TestAlteredAddressIsRefused(t *testing.T) {
	dir := t.TempDir()
	address := newKey(t, dir, "x")
	path, err := findKey(dir, address)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := common.Address{7}
	hex := func(a common.Address) string { return strings.ToLower(a.Hex()[2:]) }
	altered := strings.Replace(string(content), hex(address), hex(other), 1)
	if err := os.WriteFile(path, []byte(altered), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(dir, other, "x"); err == nil || !strings.Contains(err.Error(), "altered") {
		t.Errorf("got %v, want a complaint about the altered file", err)
	}
}

func TestOtherFilesArePassedOver(t *testing.T) {
	dir := t.TempDir()
	address := newKey(t, dir, "x")
	for name, content := range map[string]string{"README": "hi", "a.json": "{}", ".key-1": "{", "z.json": `{"address":"zz","crypto":{}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Keys(dir); err != nil || !slices.Equal(got, []common.Address{address}) {
		t.Errorf("got %v, error %v, want only %v", got, err, address)
	}
}

// go-ethereum's own keystore and this one open each other's files, with the full
// scrypt cost.
func TestStandardKeystoreOpens(t *testing.T) {
	dir := t.TempDir()
	address, err := NewKey(dir, "pw", false)
	if err != nil {
		t.Fatal(err)
	}
	ks := keystore.NewKeyStore(dir, keystore.LightScryptN, keystore.LightScryptP)
	if err := ks.Unlock(accounts.Account{Address: address}, "pw"); err != nil {
		t.Errorf("go-ethereum cannot open our file: %v", err)
	}
	theirs, err := ks.NewAccount("pw2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(dir, theirs.Address, "pw2"); err != nil {
		t.Errorf("cannot open go-ethereum's file: %v", err)
	}
}
