package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/filecoin-project/bacalhau/client"
)

const (
	envAPI     = "BACALHAU_API"
	envDataDir = "BACALHAU_DATA_DIR"
	// apiFile in the folder of a running node or devstack holds the URL of its API.
	apiFile = "api"
)

// defaultDevstackDir is the folder of a devstack that was given none.
func defaultDevstackDir() (string, error) { return homeDir("devstack", "--dir") }

// dir is the data folder of the node that the command is about.
func (a *app) dir() (string, error) {
	if dir := cmp.Or(a.dataDir, os.Getenv(envDataDir)); dir != "" {
		return filepath.Abs(dir)
	}
	return homeDir("node", "--data-dir")
}

func homeDir(name, flag string) (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the folder %s, name one with %s: %w", name, flag, err)
	}
	return filepath.Join(home, ".bacalhau", name), nil
}

// node is the node that the command talks to.
func (a *app) node() (*client.Client, error) {
	url, from, err := a.nodeURL()
	if err != nil {
		return nil, err
	}
	if !strings.Contains(url, "://") {
		url = "http://" + url // as the node's own setting has it
	}
	node, err := client.New(url, &http.Client{})
	if err != nil {
		return nil, badUsage("%s: %w", from, err)
	}
	return node, nil
}

// nodeURL finds the node's URL and says where it is from.
func (a *app) nodeURL() (url, from string, err error) {
	if a.apiURL != "" {
		return a.apiURL, "--api", nil
	}
	if url := os.Getenv(envAPI); url != "" {
		return url, envAPI, nil
	}
	node, nodeErr := a.dir()
	devstack, devstackErr := defaultDevstackDir()
	if nodeErr != nil || devstackErr != nil {
		return client.DefaultURL, "default", nil // without a home there is no folder to look in
	}
	for _, dir := range []string{node, devstack} {
		path := filepath.Join(dir, apiFile)
		raw, err := os.ReadFile(path)
		switch {
		case err == nil:
			return strings.TrimSpace(string(raw)), path, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", "", fmt.Errorf("find the node: %w", err)
		}
		if a.dataDir != "" {
			return "", "", fmt.Errorf("no node runs on %s: start it with `bacalhau serve --data-dir %s`", dir, a.dataDir)
		}
	}
	return client.DefaultURL, "default", nil
}
