package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

func post(t *testing.T, h http.Handler, from string, body []byte) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, client.OffersPath, bytes.NewReader(body))
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestIntake(t *testing.T) {
	var took []protocol.SignedOffer
	verdict := error(nil)
	h := Intake(func(o protocol.SignedOffer) error {
		took = append(took, o)
		return verdict
	}, slog.New(slog.DiscardHandler))
	raw, err := json.Marshal(client.SignedOffer{Offer: protocol.Offer{Pieces: 3, Nonce: 9}, Signature: []byte{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	if code := post(t, h, "1.2.3.4:5", raw); code != http.StatusAccepted || len(took) != 1 || took[0].Offer.Nonce != 9 ||
		!bytes.Equal(took[0].Signature, []byte{1, 2}) {
		t.Errorf("status %d, took %+v", code, took)
	}
	verdict = Unwanted{errors.New("forged")}
	if code := post(t, h, "1.2.3.4:5", raw); code != http.StatusUnprocessableEntity {
		t.Errorf("an unwanted offer: status %d", code)
	}
	verdict = errors.New("full")
	if code := post(t, h, "1.2.3.4:5", raw); code != http.StatusTooManyRequests {
		t.Errorf("no room: status %d", code)
	}
	took = nil
	for _, body := range []string{"", "{", `{"more":1}`, `{"signature":"` + strings.Repeat("0", 3000) + `"}`} {
		if code := post(t, h, "1.2.3.4:5", []byte(body)); code < 400 || code >= 500 || len(took) != 0 {
			t.Errorf("%.20q: status %d", body, code)
		}
	}
}

// One address cannot use up the limit of all, and all together cannot exceed it.
func TestIntakeIsLimited(t *testing.T) {
	took := 0
	h := Intake(func(protocol.SignedOffer) error { took++; return nil }, slog.New(slog.DiscardHandler))
	flood := func(from string) {
		for range 2 * oneOffersBurst {
			post(t, h, from, []byte("{}"))
		}
	}
	flood("[2001:db8::1]:1")
	once := took
	if once < oneOffersBurst || once >= 2*oneOffersBurst {
		t.Errorf("%d offers of one address were looked at", once)
	}
	flood("[2001:db8::ffff]:1") // of the same network
	if took >= 2*once {
		t.Errorf("%d offers of one network were looked at", took)
	}
	if post(t, h, "1.2.3.4:5", []byte("{}")) != http.StatusAccepted {
		t.Error("another address was turned away")
	}
	for i := range 20 {
		flood(fmt.Sprintf("1.2.3.%d:5", i))
	}
	if took >= 2*allOffersBurst {
		t.Errorf("%d offers were looked at", took)
	}
}
