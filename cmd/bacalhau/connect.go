package main

import (
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
	envAPI = "BACALHAU_API"
	// apiFile in a devstack's folder holds the URL of its API.
	apiFile = "api"
)

// defaultDevstackDir is the folder of a devstack that was given none.
func defaultDevstackDir() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the devstack's folder, name one with --dir: %w", err)
	}
	return filepath.Join(home, ".bacalhau", "devstack"), nil
}

// node is the node that the command talks to.
func (a *app) node() (*client.Client, error) {
	url, from, err := a.nodeURL()
	if err != nil {
		return nil, err
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
	dir, err := defaultDevstackDir()
	if err != nil {
		return client.DefaultURL, "default", nil // without a home there is no devstack's folder to look in
	}
	path := filepath.Join(dir, apiFile)
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return client.DefaultURL, "default", nil
	case err != nil:
		return "", "", fmt.Errorf("find the node: %w", err)
	}
	return strings.TrimSpace(string(raw)), path, nil
}
