package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
)

// Kubo is a Kubo daemon, reached by its RPC API. The zero value is none.
type Kubo struct {
	// URL of the RPC API, such as http://127.0.0.1:5001.
	URL string
	// Authorization is the value of that HTTP header, such as "Bearer …"; "" sends
	// none.
	Authorization string
}

// Check reports what is wrong with the settings; it does not connect.
func (k Kubo) Check() error {
	if k.URL == "" {
		if k.Authorization != "" {
			return errors.New("kubo: there is an authorization and no URL")
		}
		return nil
	}
	if _, err := k.call("version", nil); err != nil {
		return fmt.Errorf("kubo: %w", err)
	}
	return nil
}

// Version asks the daemon for its version: a way to find out whether it is there.
func (k Kubo) Version(ctx context.Context) (string, error) {
	var said struct{ Version string }
	err := k.do(ctx, "version", nil, nil, "", func(answer *json.Decoder) error { return answer.Decode(&said) })
	return said.Version, err
}

// giveIdle ends a transfer to a daemon that takes nothing, or does not confirm,
// for so long. Before it confirms a pin it reads the whole DAG from its disk.
const giveIdle = 10 * time.Minute

// Give sends the DAG under c, which the store has whole, to the daemon and pins
// it there. It returns once the daemon has confirmed the pin.
func (k Kubo) Give(ctx context.Context, s *Store, c cid.Cid) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(giveIdle, func() { cancel(errStalled) })
	defer stalled.Stop()
	body, w := io.Pipe()
	form := multipart.NewWriter(w)
	exported := make(chan error, 1)
	go func() {
		part, err := form.CreateFormFile("path", c.String()+".car")
		if err == nil {
			err = s.ExportCAR(ctx, c, part)
		}
		if err == nil {
			err = form.Close()
		}
		w.CloseWithError(err) // nil is io.EOF
		exported <- err
	}()
	pinned := false
	query := url.Values{"pin-roots": {"true"}, "silent": {"false"}}
	taken := &counted{ReadCloser: body, add: func(int) error { stalled.Reset(giveIdle); return nil }}
	err := k.do(ctx, "dag/import", query, taken, form.FormDataContentType(), func(answer *json.Decoder) error {
		for {
			var line struct {
				Root *struct {
					Cid         map[string]string
					PinErrorMsg string
				}
			}
			switch err := answer.Decode(&line); {
			case err == io.EOF:
				return nil
			case err != nil:
				return err
			case line.Root == nil:
			case line.Root.PinErrorMsg != "":
				return fmt.Errorf("pin: %s", line.Root.PinErrorMsg)
			default:
				pinned = pinned || line.Root.Cid["/"] == c.String()
			}
		}
	})
	body.CloseWithError(io.ErrClosedPipe) // ends the export if the daemon did not want all
	if failed := <-exported; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		err = failed // and what the daemon said followed from it
	}
	if err == nil && !pinned {
		err = errors.New("the daemon did not confirm the pin")
	}
	if err != nil {
		return fmt.Errorf("give %s to Kubo: %w", c, err)
	}
	return nil
}

// patientClient waits for an answer until the caller's context ends.
var patientClient = sync.OnceValue(func() *http.Client {
	c := NewClient(ClientOptions{AllowPrivate: true})
	c.Transport.(*http.Transport).ResponseHeaderTimeout = 0
	return c
})

// maxAnswerBytes bounds what is read of an answer that is not data.
const maxAnswerBytes = 1 << 20

// do makes one call of the RPC API and lets read take its answer, JSON values one
// after the other.
func (k Kubo) do(ctx context.Context, name string, query url.Values, body io.Reader, contentType string, read func(*json.Decoder) error) error {
	u, err := k.call(name, query)
	if err != nil {
		return err
	}
	req, err := k.post(ctx, u, body)
	if err != nil {
		return err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := patientClient().Do(req)
	if err != nil {
		if context.Cause(ctx) != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer resp.Body.Close()
	answer := io.LimitReader(resp.Body, maxAnswerBytes)
	if resp.StatusCode != http.StatusOK {
		return refusal(resp.Status, answer)
	}
	if err := read(json.NewDecoder(answer)); err != nil {
		return err
	}
	// What fails after the first byte of an answer is told in a trailer.
	if said := resp.Trailer.Get("X-Stream-Error"); said != "" {
		return errors.New(said)
	}
	return nil
}

// refusal reads what the daemon says with a status other than 200.
func refusal(status string, answer io.Reader) error {
	raw, _ := io.ReadAll(answer) // only decorates the error
	var said struct{ Message string }
	if json.Unmarshal(raw, &said) == nil && said.Message != "" {
		return fmt.Errorf("%s: %q", status, said.Message)
	}
	if len(raw) > 200 {
		raw = raw[:200]
	}
	return fmt.Errorf("%s: %q", status, strings.TrimSpace(string(raw)))
}

func (k Kubo) call(name string, query url.Values) (*url.URL, error) {
	u, err := url.Parse(k.URL)
	if err != nil {
		return nil, err
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	u = u.JoinPath("api/v0", name)
	u.RawQuery = query.Encode()
	return u, nil
}

func (k Kubo) post(ctx context.Context, u *url.URL, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), body)
	if err == nil && k.Authorization != "" {
		req.Header.Set("Authorization", k.Authorization)
	}
	return req, err
}

// candidate is the daemon as a source of blocks: those it has, or also those that
// it finds in its network.
func (k Kubo) candidate(network bool) candidate {
	name := "Kubo at " + redacted(k.URL)
	if network {
		name += " and its network"
	}
	return candidate{name, kuboSource{k, network}, ownClient(), nil}
}

type kuboSource struct {
	kubo    Kubo
	network bool
}

func (s kuboSource) request(ctx context.Context, c cid.Cid, in form) (*http.Request, error) {
	name := "block/get"
	query := url.Values{"arg": {c.String()}}
	if in == formCAR {
		name = "dag/export"
		query.Set("progress", "false")
	}
	if !s.network {
		query.Set("offline", "true")
	}
	u, err := s.kubo.call(name, query)
	if err != nil {
		return nil, err
	}
	return s.kubo.post(ctx, u, nil)
}
