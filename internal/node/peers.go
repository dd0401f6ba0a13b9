package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// peers is agent.Peers over HTTP.
type peers struct{ http *http.Client }

// Call asks for the empty block, as one probes a trustless gateway; any answer but a server's error is one.
func (p peers) Call(ctx context.Context, endpoint string) error {
	const emptyBlock = "/ipfs/bafkqaaa?format=raw"
	_, err := p.do(ctx, http.MethodHead, strings.TrimSuffix(endpoint, "/")+emptyBlock, nil, func(status int) bool {
		return status < http.StatusInternalServerError
	})
	return err
}

// Offer posts an offer to a requester node's intake.
func (p peers) Offer(ctx context.Context, endpoint string, o protocol.SignedOffer) error {
	raw, err := json.Marshal(client.SignedOffer{Offer: o.Offer, Signature: o.Signature})
	if err != nil {
		return err
	}
	said, err := p.do(ctx, http.MethodPost, strings.TrimSuffix(endpoint, "/")+client.OffersPath, raw, func(status int) bool {
		return status == http.StatusAccepted
	})
	if err != nil && len(said) > 0 {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// maxAnswer is how much of an answer is read, bytes.
const maxAnswer = 1 << 10

func (p peers) do(
	ctx context.Context, method, url string, body []byte, good func(status int) bool,
) (said []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	said, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // an explanation at best
	if !good(resp.StatusCode) {
		return said, fmt.Errorf("%s answered %s", req.URL.Host, resp.Status)
	}
	return said, nil
}
