package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answering returns a client of a server that answers everything alike.
func answering(t *testing.T, status int, body string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := New(server.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   APIError
	}{
		{404, `{"error":"no such job","code":"not_found"}`, APIError{404, CodeNotFound, "no such job"}},
		{402, `{"error":"too little","code":"funds","more":1}`, APIError{402, CodeFunds, "too little"}},
		{502, "<html>\nbad gateway", APIError{502, CodeInternal, "the node answered 502 Bad Gateway: <html>"}},
		{500, "", APIError{500, CodeInternal, "the node answered 500 Internal Server Error"}},
		{500, `{"error":""}`, APIError{500, CodeInternal, `the node answered 500 Internal Server Error: {"error":""}`}},
	} {
		_, err := answering(t, test.status, test.body).Status(t.Context())
		var got *APIError
		if !errors.As(err, &got) || *got != test.want {
			t.Errorf("%d %q gives %+v (%v), want %+v", test.status, test.body, got, err, test.want)
		}
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	for _, body := range []string{"", "hello", `{"freeWei":5}`, `{"freeWei":"-5"}`, `{"freeWei":"5"`} {
		if w, err := answering(t, 200, body).Wallet(t.Context()); err == nil || !strings.Contains(err.Error(), "makes no sense") {
			t.Errorf("%q gives %+v, %v", body, w, err)
		}
	}
	s, err := answering(t, 200, `{"version":"9","ofTheFuture":true}`).Status(t.Context())
	if err != nil || s.Version != "9" {
		t.Errorf("a newer node's answer gives %+v, %v", s, err)
	}
}

func TestURLs(t *testing.T) {
	for _, wrong := range []string{"", "127.0.0.1:1234", "localhost", "ftp://x", "http://", "://"} {
		if _, err := New(wrong, nil); err == nil || !strings.Contains(err.Error(), DefaultURL) {
			t.Errorf("%q gives %v, want an example of what is right", wrong, err)
		}
	}
}

func TestWei(t *testing.T) {
	large := new(big.Int).Lsh(big.NewInt(1), 95)
	for _, w := range []Wei{{}, {new(big.Int)}, {big.NewInt(7)}, {large}} {
		raw, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		var back Wei
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		want := w.Int
		if want == nil {
			want = new(big.Int)
		}
		if back.Cmp(want) != 0 || raw[0] != '"' {
			t.Errorf("%v became %s and %v", w.Int, raw, back)
		}
	}
	for _, wrong := range []string{`""`, `5`, `"-5"`, `"0x5"`, `"5.0"`, `"five"`, `null`} {
		var w Wei
		if err := json.Unmarshal([]byte(wrong), &w); err == nil {
			t.Errorf("%s was read as %v", wrong, w.Int)
		}
	}
}
