package api

import (
	_ "embed"
	"net/http"
)

// openapi is the API's description, which a test holds against routes.
//
//go:embed openapi.json
var openapi []byte

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openapi)
}
