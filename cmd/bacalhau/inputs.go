package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/protocol"
)

// maxNameBytes is the longest file name that is common to all machines.
const maxNameBytes = 255

// wholeInputs shows one piece everything: a file by its name, a directory by what is in it.
func (s *staging) wholeInputs(ctx context.Context, all []staged) ([]protocol.Input, error) {
	var inputs []protocol.Input
	taken := claims{}
	for _, from := range all {
		if from.file {
			if err := taken.add(from.name, from.source); err != nil {
				return nil, err
			}
			inputs = append(inputs, protocol.Input{CID: from.cid.String(), Path: from.name})
			continue
		}
		entries, err := s.store.List(ctx, from.cid)
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			return nil, noFiles(from)
		}
		for _, e := range entries {
			if err := taken.add(e.Name, from.source); err != nil {
				return nil, err
			}
		}
		inputs = append(inputs, protocol.Input{CID: from.cid.String(), Path: "."})
	}
	return inputs, nil
}

// eachFile makes a piece of every file, which sees that file only, at the place that it would have among all.
func (s *staging) eachFile(ctx context.Context, all []staged) ([]client.PieceRequest, error) {
	var pieces []client.PieceRequest
	taken, names := claims{}, pieceNames{}
	for _, from := range all {
		before := len(pieces)
		add := func(path string, e data.Entry) error {
			if err := taken.add(path, from.source); err != nil {
				return err
			}
			pieces = append(pieces, client.PieceRequest{
				Name: names.name(path), Inputs: []protocol.Input{{CID: e.CID.String(), Path: path}},
			})
			return nil
		}
		var err error
		if from.file {
			err = add(from.name, data.Entry{CID: from.cid})
		} else {
			err = s.store.Walk(ctx, from.cid, add)
		}
		if err != nil {
			return nil, err
		}
		if len(pieces) == before {
			return nil, noFiles(from)
		}
	}
	if len(pieces) == 0 {
		return nil, badUsage("--each-file needs at least one --input")
	}
	return pieces, nil
}

func noFiles(from staged) error {
	if from.local {
		return fmt.Errorf("input %s has no files (those that begin with a dot count only with --hidden)", from.source)
	}
	return fmt.Errorf("input %s has no files", from.source)
}

// claims says which input has each path below /inputs.
type claims map[string]string

func (c claims) add(path, source string) error {
	if !utf8.ValidString(path) {
		return fmt.Errorf("input %s: the file name %q is not UTF-8: rename it", source, path)
	}
	if other, ok := c[path]; ok {
		return fmt.Errorf("inputs %s and %s would both be /inputs/%s: rename one", other, source, path)
	}
	c[path] = source
	return nil
}

// pieceNames gives every path a plain file name of its own.
type pieceNames map[string]bool

func (n pieceNames) name(path string) string {
	plain := strings.ReplaceAll(path, "/", "_")
	if len(plain) > maxNameBytes {
		sum := sha256.Sum256([]byte(path))
		plain = hex.EncodeToString(sum[:8]) + "_" + strings.ToValidUTF8(plain[len(plain)-200:], "")
	}
	name := plain
	for i := 2; n[name]; i++ {
		suffix := "~" + strconv.Itoa(i)
		name = strings.ToValidUTF8(plain[:min(len(plain), maxNameBytes-len(suffix))], "") + suffix
	}
	n[name] = true
	return name
}

// stageAll stages inputs in their order.
func (s *staging) stageAll(ctx context.Context, sources []string, hidden bool) ([]staged, error) {
	all := make([]staged, 0, len(sources))
	for _, source := range sources {
		if source == "" {
			return nil, badUsage("--input is empty: give a path, a CID or a URL")
		}
		one, err := s.stage(ctx, source, hidden)
		if err != nil {
			return nil, inputError(err)
		}
		all = append(all, one)
	}
	return all, nil
}

// inputError says that an error is about an input, unless it is about everything.
func inputError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, client.ErrNoNode) {
		return err
	}
	return fmt.Errorf("input: %w", err)
}
