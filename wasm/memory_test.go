package wasm_test

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"slices"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// Who knows the plain hash, or the hash under another key, knows nothing of the keyed one.
func TestKeyedHashMemory(t *testing.T) {
	memory := make([]byte, 3<<12)
	memory[0], memory[1<<13] = 1, 2
	one, two := [32]byte{1}, [32]byte{2}
	plain := append(slices.Concat(binary.LittleEndian.AppendUint64(nil, 3<<12), make([]byte, 8), memory[:1<<12]),
		slices.Concat(binary.LittleEndian.AppendUint64(nil, 1<<13), memory[1<<13:])...)
	if wasm.HashMemory(memory) != sha256.Sum256(plain) {
		t.Error("the plain hash has changed")
	}
	keyed := slices.Concat(one[:], plain[:8], one[:], plain[8:16+1<<12], one[:], plain[16+1<<12:])
	if wasm.KeyedHashMemory(one, memory) != sha256.Sum256(keyed) {
		t.Error("the key is not in front of every number")
	}
	if wasm.KeyedHashMemory(one, memory) == wasm.KeyedHashMemory(two, memory) {
		t.Error("two keys give the same hash")
	}

	task := wasm.Task{Module: load(t, "cprogram/main.wasm"), Limits: limits}
	without := onEngines(t, task)
	task.MemoryKey = one
	with := onEngines(t, task)
	if without.KeyedMemoryHash != ([32]byte{}) || with.KeyedMemoryHash == ([32]byte{}) || with.KeyedMemoryHash == with.MemoryHash {
		t.Errorf("keyed hashes %x without and %x with a key", without.KeyedMemoryHash, with.KeyedMemoryHash)
	}
	with.KeyedMemoryHash = [32]byte{}
	if !reflect.DeepEqual(with, without) {
		t.Error("the key changed what the program did")
	}
}
