package data

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server in Kubo's place that says nonsense, or nothing, is an error.
func TestKuboAnswersNonsense(t *testing.T) {
	s := open(t)
	root := sample(t, s)
	drained := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, answer)
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"nothing":    {drained(""), "did not confirm"},
		"a page":     {drained("<html>"), "invalid character"},
		"other root": {drained(`{"Root":{"Cid":{"/":"bafkqaaa"},"PinErrorMsg":""}}`), "did not confirm"},
		"pin error":  {drained(`{"Root":{"Cid":{"/":"` + root.String() + `"},"PinErrorMsg":"no space left"}}`), "no space left"},
		"endless":    {drained(strings.Repeat(" ", 2*maxAnswerBytes)), "did not confirm"},
		"refuses":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"Message":"go away\u001b"}`, 500) }, `go away\x1b`},
		"trailer": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Stream-Error")
			drained("")(w, r)
			w.Header().Set("X-Stream-Error", "disk quota")
		}, "disk quota"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(c.handler)
			defer srv.Close()
			if err := (Kubo{URL: srv.URL}).Give(t.Context(), s, root); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error with %q", err, c.says)
			}
		})
	}
}

func TestSourcesCheck(t *testing.T) {
	for _, bad := range []Sources{
		{Kubo: Kubo{URL: "127.0.0.1:5001"}}, {Kubo: Kubo{URL: "unix:///run/ipfs"}}, {Kubo: Kubo{Authorization: "Bearer x"}},
		{Gateways: []string{"https://example.org", "ftp://example.org"}}, {Gateways: []string{"https://a:b@example.org"}},
	} {
		if err := bad.Check(); err == nil || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%v: got %v, want an error", bad, err)
		}
	}
	if err := errors.Join(Sources{}.Check(), Sources{Gateways: []string{"http://10.0.0.1:8080/"}, Kubo: Kubo{URL: "http://[::1]:5001"}}.Check()); err != nil {
		t.Error(err)
	}
}
