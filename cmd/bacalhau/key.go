package main

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/term"

	"github.com/filecoin-project/bacalhau/internal/seal"
)

// envPassword has the password of the wallet's key, for where no file suits.
const envPassword = "BACALHAU_PASSWORD"

func keystoreOf(dir string) string { return filepath.Join(dir, "keystore") }

// walletKey opens the key of the node in dir.
func (a *app) walletKey(dir string, s *settings) (*ecdsa.PrivateKey, error) {
	address, err := chooseWallet(dir, s.wallet)
	if err != nil {
		return nil, err
	}
	password, err := a.password(s.passwordFile, fmt.Sprintf("Password of wallet %s: ", address))
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

// password comes from a file, the environment, or the person at the terminal.
func (a *app) password(file, prompt string) (string, error) {
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("password-file: %w", err)
		}
		return strings.TrimRight(string(raw), "\r\n"), nil
	}
	if password, set := os.LookupEnv(envPassword); set {
		return password, nil
	}
	f, ok := a.terminal()
	if !ok {
		return "", errors.New("no password for the wallet's key: set password-file or $" + envPassword)
	}
	return a.askSecret(f, prompt)
}

// terminal is standard input if a person sits at it.
func (a *app) terminal() (*os.File, bool) {
	f, ok := a.stdin.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

func (a *app) askSecret(f *os.File, prompt string) (string, error) {
	fmt.Fprint(a.stderr, prompt)
	raw, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(a.stderr)
	return string(raw), err
}

// addKey puts a key into a keystore: a new one, or that of a file, which is an Ethereum key file or holds 64 hexadecimal
// digits. A light key file suits a password that nobody can guess.
func (a *app) addKey(keystore, file, password string, light bool) (common.Address, error) {
	if file == "" {
		return seal.NewKey(keystore, password, light)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return common.Address{}, fmt.Errorf("import: %w", err)
	}
	key, err := a.parseKey(file, raw, password)
	if err != nil {
		return common.Address{}, err
	}
	return seal.StoreKey(keystore, key, password, light)
}

// parseKey reads a key in either form. A key file may have another password than the node's.
func (a *app) parseKey(file string, raw []byte, password string) (*ecdsa.PrivateKey, error) {
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
	if password, err = a.askSecret(f, "Password of "+file+": "); err != nil {
		return nil, err
	}
	return seal.OpenKeyFile(file, password)
}
