package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ErrNoNode means that nothing answers at the node's URL.
var ErrNoNode = errors.New("no node answers")

// Code tells programs what kind of error a node answered with.
type Code string

const (
	CodeBadRequest Code = "bad_request" // the request is wrong; the same again will fail again
	CodeNotFound   Code = "not_found"   // there is no such job, or nobody has the data
	CodeForbidden  Code = "forbidden"   // the request came by way of a web page
	CodeFunds      Code = "funds"       // the wallet holds too little
	CodeRefused    Code = "refused"     // the contract said no, and nothing changed
	CodeInternal   Code = "internal"    // the node's own trouble
)

// APIError is a node's answer that is not a success.
type APIError struct {
	Status  int // HTTP
	Code    Code
	Message string
}

func (e *APIError) Error() string { return e.Message }

// failure reads the error out of an answer, also one that some other server gave.
func failure(resp *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("the node answered %s and broke off: %w", resp.Status, err)
	}
	e := &APIError{Status: resp.StatusCode, Code: CodeInternal}
	var f Failure
	if json.Unmarshal(raw, &f) == nil && f.Error != "" {
		e.Code, e.Message = f.Code, f.Error
		return e
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(raw)), "\n")
	e.Message = strings.TrimSuffix(fmt.Sprintf("the node answered %s: %s", resp.Status, line), ": ")
	return e
}
