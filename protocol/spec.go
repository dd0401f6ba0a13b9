package protocol

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// The published spec is a UnixFS directory of two files. Their bytes, not their meaning, are what is hashed, so no
// canonical form of JSON is needed.
const (
	SpecJobFile    = "job.json"     // one Spec
	SpecPiecesFile = "pieces.jsonl" // one Piece a line, in the order of their index
)

// MaxSpecBytes bounds each of the two files.
const MaxSpecBytes = 64 << 20

// Spec is what all pieces of a job have in common.
type Spec struct {
	Version int `json:"version"` // 1
	// Profile is the version of the deterministic execution profile.
	Profile uint32 `json:"profile"`
	// Module is the CID of a WASI preview1 command.
	Module string            `json:"module"`
	Args   []string          `json:"args,omitempty"`
	Env    map[string]string `json:"env,omitempty"`
	// Inputs that every piece sees.
	Inputs []Input `json:"inputs,omitempty"`
	// Providers are base URLs of trustless gateways that serve the inputs. Nobody need believe them: inputs are known by
	// their CIDs.
	Providers []string `json:"providers,omitempty"`
	Limits    Limits   `json:"limits"`
}

// Piece is what one piece has of its own.
type Piece struct {
	// Name labels the piece's results; unique in the job, one path element.
	Name string `json:"name"`
	// Args follow the spec's.
	Args   []string `json:"args,omitempty"`
	Inputs []Input  `json:"inputs,omitempty"`
	// PublicKey is the piece's one-time key, compressed, hex.
	PublicKey string `json:"publicKey"`
}

// Input is a file or directory by CID, seen by the guest as /inputs/Path. With the path "." a directory's entries are
// those of /inputs.
type Input struct {
	CID  string `json:"cid"`
	Path string `json:"path"`
}

// Limits bound one piece. Reaching the memory limit makes memory.grow fail, reaching the fuel limit ends the run.
type Limits struct {
	MemoryBytes uint64 `json:"memoryBytes"`
	Fuel        uint64 `json:"fuel"`
	OutputBytes uint64 `json:"outputBytes"`
}

// Document is a spec with its pieces and the bytes they were published as.
type Document struct {
	Spec   Spec
	Pieces []Piece
	Job    []byte // SpecJobFile
	Lines  []byte // SpecPiecesFile

	keys    []*secp256k1.PublicKey
	digests []common.Hash
	tree    *SumTree
}

// NewDocument encodes a spec and its pieces and checks the outcome as strictly as a stranger will.
func NewDocument(spec Spec, pieces []Piece) (*Document, error) {
	job, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode spec: %w", err)
	}
	var lines bytes.Buffer
	for _, p := range pieces {
		line, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encode piece %s: %w", p.Name, err)
		}
		lines.Write(append(line, '\n'))
	}
	return ParseDocument(job, lines.Bytes())
}

// ParseDocument reads and checks what a client published. Errors name the file, the line and the field.
func ParseDocument(job, lines []byte) (*Document, error) {
	if len(job) > MaxSpecBytes || len(lines) > MaxSpecBytes {
		return nil, fmt.Errorf("spec is larger than %d bytes", MaxSpecBytes)
	}
	d := &Document{Job: job, Lines: lines}
	if err := decodeStrictly(job, &d.Spec); err != nil {
		return nil, fmt.Errorf("%s: %w", SpecJobFile, err)
	}
	if err := d.Spec.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", SpecJobFile, err)
	}
	template := crypto.Keccak256Hash(job)
	names := map[string]bool{}
	var leaves []Sum
	for line := range bytes.Lines(lines) {
		index := uint32(len(d.Pieces))
		line = bytes.TrimSuffix(line, []byte("\n"))
		var p Piece
		if err := decodeStrictly(line, &p); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", SpecPiecesFile, index+1, err)
		}
		key, err := p.check()
		if err == nil && names[p.Name] {
			err = fmt.Errorf("name %q is used twice", p.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", SpecPiecesFile, index+1, err)
		}
		names[p.Name] = true
		digest := words{}.hash(template).hash(crypto.Keccak256Hash(line)).keccak()
		leaf := words{}.uint(uint64(index)).hash(digest).address(KeyAddress(key)).keccak()
		d.Pieces, d.keys, d.digests = append(d.Pieces, p), append(d.keys, key), append(d.digests, digest)
		leaves = append(leaves, Sum{Hash: leaf})
	}
	tree, err := NewSumTree(leaves)
	if err != nil {
		return nil, fmt.Errorf("%s: no pieces", SpecPiecesFile)
	}
	d.tree = tree
	return d, nil
}

// Root is what goes into Terms.SpecRoot.
func (d *Document) Root() common.Hash { return d.tree.Root().Hash }

// Check says whether the document is the one that a job's terms name.
func (d *Document) Check(t Terms) error {
	if uint32(len(d.Pieces)) != t.Pieces {
		return fmt.Errorf("spec has %d pieces, the job %d", len(d.Pieces), t.Pieces)
	}
	if d.Root() != t.SpecRoot {
		return errors.New("spec is not the one the job commits to (Merkle root differs)")
	}
	return nil
}

// PublicKey is the one-time key of a piece.
func (d *Document) PublicKey(index uint32) *secp256k1.PublicKey { return d.keys[index] }

// Proof gives what revealKey needs to know a piece by: the digest of its spec and the proof against Root.
func (d *Document) Proof(index uint32) (digest common.Hash, proof []Sum) {
	return d.digests[index], d.tree.Proof(int(index))
}

func (s Spec) check() error {
	switch {
	case s.Version != 1:
		return fmt.Errorf("version: %d is not supported, want 1", s.Version)
	case s.Profile == 0:
		return errors.New("profile: missing")
	case s.Module == "":
		return errors.New("module: missing; give the CID of a WASI program")
	case s.Limits.MemoryBytes == 0 || s.Limits.MemoryBytes > 4<<30:
		return fmt.Errorf("limits.memoryBytes: %d is not in 1…%d", s.Limits.MemoryBytes, uint64(4<<30))
	case s.Limits.Fuel == 0 || s.Limits.Fuel > 1<<62:
		return fmt.Errorf("limits.fuel: %d is not in 1…2^62", s.Limits.Fuel)
	case s.Limits.OutputBytes == 0:
		return errors.New("limits.outputBytes: missing")
	}
	if err := CheckProviders(s.Providers); err != nil {
		return fmt.Errorf("providers: %w", err)
	}
	return checkInputs(s.Inputs)
}

// Bounds of a spec's list of providers: whoever runs a piece may have to ask them all.
const (
	maxProviders     = 16
	maxProviderBytes = 2048
)

// CheckProviders says what is wrong with a spec's providers.
func CheckProviders(providers []string) error {
	if len(providers) > maxProviders {
		return fmt.Errorf("%d are given, at most %d are asked", len(providers), maxProviders)
	}
	for _, p := range providers {
		u, err := url.Parse(p)
		switch {
		case err != nil:
			return fmt.Errorf("%q is not a URL", p)
		case u.User != nil:
			return fmt.Errorf("%q holds a user name or password, which would be published: use a URL without", u.Redacted())
		case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", u.RawQuery != "", u.Fragment != "":
			return fmt.Errorf("%q is not the base URL of a gateway, such as https://example.org", p)
		case len(p) > maxProviderBytes:
			return fmt.Errorf("a URL is longer than %d bytes", maxProviderBytes)
		}
	}
	return nil
}

func (p Piece) check() (*secp256k1.PublicKey, error) {
	if p.Name == "" || p.Name == "." || p.Name == ".." || len(p.Name) > 255 || strings.ContainsAny(p.Name, "/\x00") {
		return nil, fmt.Errorf("name: %q is not a plain file name", p.Name)
	}
	raw, err := hex.DecodeString(p.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("publicKey: %w", err)
	}
	if len(raw) != secp256k1.PubKeyBytesLenCompressed {
		return nil, fmt.Errorf("publicKey: has %d bytes, want a compressed key of %d", len(raw), secp256k1.PubKeyBytesLenCompressed)
	}
	key, err := secp256k1.ParsePubKey(raw)
	if err != nil {
		return nil, fmt.Errorf("publicKey: %w", err)
	}
	// The contract multiplies this point by way of ecrecover, which takes x coordinates below the group order only.
	if key.X().Cmp(secp256k1.Params().N) >= 0 {
		return nil, errors.New("publicKey: x coordinate exceeds the group order")
	}
	return key, checkInputs(p.Inputs)
}

func checkInputs(inputs []Input) error {
	for _, in := range inputs {
		if in.CID == "" {
			return fmt.Errorf("inputs: %q has no cid", in.Path)
		}
		if in.Path == "" || path.IsAbs(in.Path) || path.Clean(in.Path) != in.Path || in.Path == ".." ||
			strings.HasPrefix(in.Path, "../") || strings.ContainsRune(in.Path, 0) {
			return fmt.Errorf("inputs: path %q must be relative, clean and below /inputs", in.Path)
		}
	}
	return nil
}

func decodeStrictly(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more after the JSON value")
	}
	return nil
}
