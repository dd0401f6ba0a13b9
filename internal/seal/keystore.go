package seal

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"
)

var (
	// ErrNoKey means that a folder has no key file for an address.
	ErrNoKey = errors.New("no key file for this address")
	// ErrKeyExists means that a key would be stored a second time.
	ErrKeyExists = errors.New("key file for this address exists")
	// ErrWrongPassword means that the password does not open a key file.
	ErrWrongPassword = errors.New("wrong password for key file")
)

// NewKey makes a random key, stores it as StoreKey does and returns its address.
func NewKey(dir, password string, light bool) (common.Address, error) {
	key, err := crypto.GenerateKey()
	if err != nil {
		return common.Address{}, fmt.Errorf("make key: %w", err)
	}
	return StoreKey(dir, key, password, light)
}

// StoreKey writes key to dir as an Ethereum key file (Web3 Secret Storage v3),
// mode 0600, encrypted with the password. The file is on disk, whole, when it
// returns. A light file opens in milliseconds rather than about a second, also
// for who guesses passwords: for development only.
func StoreKey(dir string, key *ecdsa.PrivateKey, password string, light bool) (common.Address, error) {
	address := crypto.PubkeyToAddress(key.PublicKey)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return address, fmt.Errorf("store key: %w", err)
	}
	switch _, err := findKey(dir, address); {
	case err == nil:
		return address, fmt.Errorf("store key in %s: %w: %s", dir, ErrKeyExists, address)
	case !errors.Is(err, ErrNoKey):
		return address, fmt.Errorf("store key: %w", err)
	}
	n, p := keystore.StandardScryptN, keystore.StandardScryptP
	if light {
		n, p = keystore.LightScryptN, keystore.LightScryptP
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return address, fmt.Errorf("store key: %w", err)
	}
	content, err := keystore.EncryptKey(&keystore.Key{Id: id, Address: address, PrivateKey: key}, password, n, p)
	if err != nil {
		return address, fmt.Errorf("store key: %w", err)
	}
	name := fmt.Sprintf("UTC--%s--%s", time.Now().UTC().Format("2006-01-02T15-04-05.000000000Z"), hex.EncodeToString(address[:]))
	if err := writeFile(dir, name, content); err != nil {
		return address, fmt.Errorf("store key: %w", err)
	}
	return address, nil
}

// LoadKey opens the key file of address in dir. The error is ErrNoKey,
// ErrWrongPassword, or says what is wrong with the file.
func LoadKey(dir string, address common.Address, password string) (*ecdsa.PrivateKey, error) {
	path, err := findKey(dir, address)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	key, err := OpenKeyFile(path, password)
	if err != nil {
		return nil, err
	}
	if found := crypto.PubkeyToAddress(key.PublicKey); found != address {
		return nil, fmt.Errorf("load key: %s holds the key of %s, not of %s: the file was altered", path, found, address)
	}
	return key, nil
}

// OpenKeyFile opens one key file, wherever it is. The error is ErrWrongPassword, or says what is wrong with the file.
func OpenKeyFile(path, password string) (*ecdsa.PrivateKey, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	key, err := keystore.DecryptKey(content, password)
	if errors.Is(err, keystore.ErrDecrypt) {
		return nil, fmt.Errorf("load key: %w: %s", ErrWrongPassword, path)
	}
	if err != nil {
		return nil, fmt.Errorf("load key: %s: %w", path, err)
	}
	return key.PrivateKey, nil
}

// Keys returns the addresses of the key files in dir, in the order in which they
// were made. Other files are passed over; a folder that does not exist has none.
func Keys(dir string) ([]common.Address, error) {
	files, err := keyFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	addresses := make([]common.Address, 0, len(files))
	for _, f := range files {
		if !slices.Contains(addresses, f.address) {
			addresses = append(addresses, f.address)
		}
	}
	return addresses, nil
}

func findKey(dir string, address common.Address) (path string, err error) {
	files, err := keyFiles(dir)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if f.address == address {
			return f.path, nil
		}
	}
	return "", fmt.Errorf("%w: %s in %s", ErrNoKey, address, dir)
}

type keyFile struct {
	path    string
	address common.Address
}

// maxKeyFileBytes is far above the 500 bytes of a real key file.
const maxKeyFileBytes = 64 << 10

// keyFiles finds key files by what is in them, as other tools name them in other
// ways.
func keyFiles(dir string) ([]keyFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []keyFile
	for _, e := range entries { // sorted by name, which begins with the time
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxKeyFileBytes || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var header struct {
			Address string          `json:"address"`
			Crypto  json.RawMessage `json:"crypto"`
		}
		if json.Unmarshal(content, &header) != nil || header.Crypto == nil || !common.IsHexAddress(header.Address) {
			continue
		}
		files = append(files, keyFile{path, common.HexToAddress(header.Address)})
	}
	return files, nil
}

// writeFile makes a new file that after a crash is there whole or not at all.
func writeFile(dir, name string, content []byte) (err error) {
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
