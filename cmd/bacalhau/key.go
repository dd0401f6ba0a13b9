package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/renameio/v2"
	"golang.org/x/term"

	"github.com/filecoin-project/bacalhau/internal/seal"
)

// envPassword has the password of the wallet's key, for where no file suits.
const envPassword = "BACALHAU_PASSWORD"

func keystoreOf(dir string) string { return filepath.Join(dir, "keystore") }

// walletKey opens the key of the node in dir.
func (a *app) walletKey(ctx context.Context, dir string, s *settings) (*ecdsa.PrivateKey, error) {
	address, err := chooseWallet(dir, s.wallet)
	if err != nil {
		return nil, err
	}
	password, err := a.password(ctx, dir, s.passwordFile, fmt.Sprintf("Password of wallet %s: ", address))
	if err != nil {
		return nil, err
	}
	return seal.LoadKey(keystoreOf(dir), address, password)
}

// chooseWallet is the wallet that was asked for, or the only one.
func chooseWallet(dir string, asked common.Address) (common.Address, error) {
	keys, err := seal.Keys(keystoreOf(dir))
	switch {
	case err != nil:
		return common.Address{}, err
	case asked != common.Address{}:
		return asked, nil
	case len(keys) == 0:
		return common.Address{}, fmt.Errorf("%s has no wallet: make one with `bacalhau init --data-dir %s`", dir, dir)
	case len(keys) > 1:
		return common.Address{}, fmt.Errorf("%s has %d wallets: choose one with the setting wallet", keystoreOf(dir), len(keys))
	}
	return keys[0], nil
}

// passwordFileName in the data folder holds a password that was made up.
const passwordFileName = "password"

// password comes from the file that was named, the environment, the file in the data folder, or the person at the
// terminal.
func (a *app) password(ctx context.Context, dir, file, prompt string) (string, error) {
	if file != "" {
		return readPassword(file)
	}
	if password, set := os.LookupEnv(envPassword); set {
		return password, nil
	}
	made, err := readPassword(filepath.Join(dir, passwordFileName))
	if !errors.Is(err, fs.ErrNotExist) {
		return made, err
	}
	f, ok := a.terminal()
	if !ok {
		return "", errors.New("no password for the wallet's key: set password-file or $" + envPassword)
	}
	return a.askSecret(ctx, f, prompt)
}

func readPassword(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// newPassword is the one to encrypt a new key with: as password finds it, or chosen at the terminal, or made up and kept
// in the data folder. A random one needs no slow key file.
func (a *app) newPassword(ctx context.Context, dir, file string) (password string, random bool, err error) {
	made := filepath.Join(dir, passwordFileName)
	_, set := os.LookupEnv(envPassword)
	if _, err := os.Stat(made); err == nil || file != "" || set {
		password, err = a.password(ctx, dir, file, "")
		return password, false, err
	}
	if f, ok := a.terminal(); ok {
		password, err = a.chooseSecret(ctx, f, "Password for the wallet's key (empty: keep one in the data folder): ")
		if err != nil || password != "" {
			return password, false, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", false, err
	}
	password = rand.Text()
	return password, true, renameio.WriteFile(made, []byte(password+"\n"), 0o600)
}

// terminal is standard input if a person sits at it.
func (a *app) terminal() (*os.File, bool) {
	f, ok := a.stdin.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// addKey puts a key into the keystore of a data folder: a new one, or that of a file, which is an Ethereum key file or
// holds 64 hexadecimal digits.
func (a *app) addKey(ctx context.Context, dir, file, passwordFile string) (common.Address, error) {
	password, random, err := a.newPassword(ctx, dir, passwordFile)
	if err != nil {
		return common.Address{}, err
	}
	if file == "" {
		return seal.NewKey(keystoreOf(dir), password, random)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return common.Address{}, fmt.Errorf("import: %w", err)
	}
	key, err := a.parseKey(ctx, file, raw, password)
	if err != nil {
		return common.Address{}, err
	}
	return seal.StoreKey(keystoreOf(dir), key, password, random)
}

// parseKey reads a key in either form. A key file may have another password than the node's.
func (a *app) parseKey(ctx context.Context, file string, raw []byte, password string) (*ecdsa.PrivateKey, error) {
	if text := strings.TrimSpace(string(raw)); !strings.HasPrefix(text, "{") {
		key, err := crypto.HexToECDSA(strings.TrimPrefix(text, "0x"))
		if err != nil {
			return nil, fmt.Errorf("import: %s holds neither an Ethereum key file nor 64 hexadecimal digits", file)
		}
		return key, nil
	}
	key, err := seal.OpenKeyFile(file, password)
	f, ok := a.terminal()
	if !ok || !errors.Is(err, seal.ErrWrongPassword) {
		return key, err
	}
	if password, err = a.askSecret(ctx, f, "Password of "+file+": "); err != nil {
		return nil, err
	}
	return seal.OpenKeyFile(file, password)
}
