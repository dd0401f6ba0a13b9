package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

func newJobCommand(a *app) *cobra.Command {
	return newGroup("job", "See and cancel jobs", newJobListCommand(a), newJobDescribeCommand(a), newJobCancelCommand(a))
}

// findJob completes a job's id, which may be abbreviated.
func findJob(ctx context.Context, node *client.Client, text string) (common.Hash, error) {
	prefix, err := idPrefix(text)
	if err != nil {
		return common.Hash{}, err
	}
	if len(prefix) == 2*common.HashLength {
		raw, err := hex.DecodeString(prefix)
		return common.Hash(raw), err
	}
	jobs, err := node.Jobs(ctx)
	if err != nil {
		return common.Hash{}, err
	}
	var found []common.Hash
	for _, job := range jobs {
		if strings.HasPrefix(job.ID.Hex()[2:], prefix) {
			found = append(found, job.ID)
		}
	}
	switch len(found) {
	case 0:
		return common.Hash{}, fmt.Errorf("no job's id begins with %s: see `bacalhau job list`", text)
	case 1:
		return found[0], nil
	}
	return common.Hash{}, fmt.Errorf("the ids of %d jobs begin with %s: give more digits", len(found), text)
}

// idPrefix is the digits of a job's id, or of the beginning of one.
func idPrefix(text string) (string, error) {
	prefix := strings.TrimPrefix(strings.ToLower(text), "0x")
	if prefix == "" || len(prefix) > 2*common.HashLength || strings.Trim(prefix, "0123456789abcdef") != "" {
		return "", badUsage("%q is neither a job's id, such as 0x3f2a91c0, nor the beginning of one", text)
	}
	return prefix, nil
}
