package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// memory is a Library like the real one but for its formats: content-addressed blocks, verified whenever they come from
// elsewhere, parents before children and children in the order of their names. An endpoint is the name of another
// memory on the same web.
type memory struct {
	web  map[string]*memory
	mu   sync.Mutex
	held map[common.Hash][]byte // encoded blocks
	// down makes others' fetches fail.
	down bool
	// withheld blocks are not given to others.
	withheld map[common.Hash]bool
}

// block is a file or a directory.
type block struct {
	File    []byte                 `json:",omitempty"`
	Entries map[string]common.Hash `json:",omitempty"` // encoding/json sorts them
}

func newMemory(web map[string]*memory, name string) *memory {
	web[name] = &memory{web: web, held: map[common.Hash][]byte{}, withheld: map[common.Hash]bool{}}
	return web[name]
}

func (m *memory) put(b block) common.Hash {
	raw, err := json.Marshal(b)
	if err != nil {
		panic(err) // bytes and hashes always encode
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id := crypto.Keccak256Hash(raw)
	m.held[id] = raw
	return id
}

func (m *memory) raw(id common.Hash) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, ok := m.held[id]
	return raw, ok
}

func (m *memory) get(id common.Hash) (b block, err error) {
	raw, ok := m.raw(id)
	if !ok {
		return b, fmt.Errorf("%s is not here", id)
	}
	return b, json.Unmarshal(raw, &b)
}

// walk visits all blocks below id, parents first; get brings them.
func walk(id common.Hash, get func(common.Hash) (block, error)) error {
	b, err := get(id)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.Entries)) {
		if err := walk(b.Entries[name], get); err != nil {
			return err
		}
	}
	return nil
}

// FetchWithin takes any endpoint's bytes together for one's.
func (m *memory) FetchWithin(ctx context.Context, dir common.Hash, endpoints []string, maxBytes int64) error {
	before := m.size()
	if err := m.Fetch(ctx, dir, endpoints); err != nil {
		return err
	}
	if m.size()-before > maxBytes {
		return fmt.Errorf("%s has more than %d bytes", dir, maxBytes)
	}
	return nil
}

func (m *memory) size() (bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, raw := range m.held {
		bytes += int64(len(raw))
	}
	return bytes
}

func (m *memory) Fetch(ctx context.Context, dir common.Hash, endpoints []string) error {
	err := walk(dir, m.get)
	for _, name := range endpoints {
		if err == nil {
			break
		}
		err = walk(dir, func(id common.Hash) (block, error) {
			if b, err := m.get(id); err == nil {
				return b, nil
			}
			from := m.web[name]
			raw, ok := from.raw(id)
			if !ok || from.down || from.withheld[id] {
				return block{}, fmt.Errorf("%s does not have %s", name, id)
			}
			m.mu.Lock()
			m.held[id] = raw
			m.mu.Unlock()
			return m.get(id)
		})
	}
	return err
}

func (m *memory) ReadFile(_ context.Context, dir common.Hash, path string, limit int64) ([]byte, error) {
	id, err := m.Resolve(context.Background(), dir, path)
	if err != nil {
		return nil, err
	}
	b, err := m.get(id)
	switch {
	case err != nil:
		return nil, err
	case b.Entries != nil:
		return nil, fmt.Errorf("%s is a directory", path)
	case int64(len(b.File)) > limit:
		return nil, fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return b.File, nil
}

func (m *memory) Open(ctx context.Context, dir common.Hash, path string) (File, error) {
	content, err := m.ReadFile(ctx, dir, path, math.MaxInt64)
	return bytes.NewReader(content), err
}

func (m *memory) Resolve(_ context.Context, dir common.Hash, path string) (common.Hash, error) {
	for _, name := range strings.Split(path, "/") {
		b, err := m.get(dir)
		if err != nil {
			return common.Hash{}, err
		}
		next, ok := b.Entries[name]
		if !ok {
			return common.Hash{}, fmt.Errorf("no %s in %s", name, dir)
		}
		dir = next
	}
	return dir, nil
}

func (m *memory) Publish(
	_ context.Context, files map[string]io.Reader, links map[string]common.Hash,
) (common.Hash, error) {
	leaves := maps.Clone(links)
	if leaves == nil {
		leaves = map[string]common.Hash{}
	}
	for path, content := range files {
		file, err := io.ReadAll(content)
		if err != nil {
			return common.Hash{}, err
		}
		leaves[path] = m.put(block{File: file})
	}
	return m.tree(leaves), nil
}

// tree makes a directory of what is given by path.
func (m *memory) tree(leaves map[string]common.Hash) common.Hash {
	below, entries := map[string]map[string]common.Hash{}, map[string]common.Hash{}
	for path, id := range leaves {
		name, rest, nested := strings.Cut(path, "/")
		if !nested {
			entries[name] = id
			continue
		}
		if below[name] == nil {
			below[name] = map[string]common.Hash{}
		}
		below[name][rest] = id
	}
	for name, leaves := range below {
		entries[name] = m.tree(leaves)
	}
	return m.put(block{Entries: entries})
}

// export gives a directory as what this library calls a CAR: its blocks, a line each.
func (m *memory) export(dir common.Hash) []byte {
	var car bytes.Buffer
	err := walk(dir, func(id common.Hash) (block, error) {
		raw, _ := m.raw(id)
		car.Write(append(raw, '\n'))
		return m.get(id)
	})
	if err != nil {
		panic(err) // it was published here
	}
	return car.Bytes()
}

func (m *memory) Import(_ context.Context, dir common.Hash, car io.Reader) error {
	raw, err := io.ReadAll(car)
	if err != nil {
		return err
	}
	came := map[common.Hash][]byte{}
	for line := range bytes.Lines(raw) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		came[crypto.Keccak256Hash(line)] = line
	}
	err = walk(dir, func(id common.Hash) (b block, err error) {
		if came[id] == nil {
			return b, errors.New("the CAR lacks blocks of its own root")
		}
		return b, json.Unmarshal(came[id], &b)
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.held, came)
	return nil
}
