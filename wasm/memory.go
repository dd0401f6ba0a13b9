package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

const (
	hashBlock = 4096
	// tornBytes is the widest store less one. At a store across the end of
	// memory some processors write the part that is inside before they trap.
	tornBytes = 15
)

var zeroBlock [hashBlock]byte

// HashMemory is the SHA-256 of the memory's size in bytes and then, for every
// block of 4096 bytes that is not all zero, of the block's offset and its
// bytes; numbers are 64-bit little-endian. Blocks never touched cost next to
// nothing.
func HashMemory(memory []byte) [32]byte { return hashMemory(nil, memory) }

// KeyedHashMemory is HashMemory with the key in front of every number, so that
// it takes the memory itself: no hash or intermediate state that was computed
// before the key was known is of use.
func KeyedHashMemory(key [32]byte, memory []byte) [32]byte { return hashMemory(key[:], memory) }

func hashMemory(key, memory []byte) [32]byte {
	h := sha256.New()
	var number [8]byte
	put := func(v int) {
		binary.LittleEndian.PutUint64(number[:], uint64(v))
		h.Write(key)
		h.Write(number[:])
	}
	put(len(memory))
	touch(memory)
	for at := 0; at < len(memory); at += hashBlock {
		b := memory[at:min(at+hashBlock, len(memory))]
		if !bytes.Equal(b, zeroBlock[:len(b)]) {
			put(at)
			h.Write(b)
		}
	}
	return [32]byte(h.Sum(nil))
}

// clearTorn zeroes what a trapped store may have torn, differently by processor.
func clearTorn(memory []byte) { clear(memory[max(0, len(memory)-tornBytes):]) }
