package protocol_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

func sums(n int) []protocol.Sum {
	leaves := make([]protocol.Sum, n)
	for i := range leaves {
		leaves[i] = protocol.Sum{Hash: numbered("leaf", uint64(i)), Sum: uint64(i*i + 1)}
	}
	return leaves
}

// reference is the tree as the contract's comment defines it, computed from the top.
func reference(t *testing.T, leaves []protocol.Sum) protocol.Sum {
	if len(leaves) == 1 {
		return leaves[0]
	}
	half := 1
	for half*2 < len(leaves) {
		half *= 2
	}
	left, right := reference(t, leaves[:half]), reference(t, leaves[half:])
	return protocol.Sum{
		Hash: crypto.Keccak256Hash(pack(t, "bytes32,uint256,bytes32,uint256",
			left.Hash, new(big.Int).SetUint64(left.Sum), right.Hash, new(big.Int).SetUint64(right.Sum))),
		Sum: left.Sum + right.Sum,
	}
}

func TestSumTreeRootIsTheDefinedOne(t *testing.T) {
	for n := 1; n <= 40; n++ {
		tree := must[*protocol.SumTree](t)(protocol.NewSumTree(sums(n)))
		if got, want := tree.Root(), reference(t, sums(n)); got != want {
			t.Errorf("%d leaves: root %v, want %v", n, got, want)
		}
	}
}

func TestVerifySumAcceptsEveryLeafAtItsPlaceOnly(t *testing.T) {
	for n := uint32(1); n <= 40; n++ {
		leaves := sums(int(n))
		tree := must[*protocol.SumTree](t)(protocol.NewSumTree(leaves))
		root := tree.Root()
		for i := range n {
			proof := tree.Proof(int(i))
			for position := range n + 2 {
				if got := protocol.VerifySum(root, leaves[i], position, n, proof); got != (position == i) {
					t.Fatalf("%d leaves, proof of %d: at %d it is %t", n, i, position, got)
				}
			}
			for j, leaf := range leaves {
				if got := protocol.VerifySum(root, leaf, i, n, proof); got != (uint32(j) == i) {
					t.Fatalf("%d leaves, proof of %d: leaf %d is %t", n, i, j, got)
				}
			}
		}
	}
}

func TestVerifySumRefusesWhatWasTamperedWith(t *testing.T) {
	for n := uint32(1); n <= 40; n++ {
		leaves := sums(int(n))
		tree := must[*protocol.SumTree](t)(protocol.NewSumTree(leaves))
		for i := range n {
			refuse(t, tree.Root(), leaves[i], i, n, tree.Proof(int(i)))
		}
	}
}

func refuse(t *testing.T, root, leaf protocol.Sum, i, n uint32, proof []protocol.Sum) {
	t.Helper()
	reject := func(what string, root, leaf protocol.Sum, total uint32, proof []protocol.Sum) {
		t.Helper()
		if protocol.VerifySum(root, leaf, i, total, proof) {
			t.Fatalf("leaf %d of %d: accepted with %s", i, n, what)
		}
	}
	flipped := func(s protocol.Sum) protocol.Sum { s.Hash[31] ^= 1; return s }
	more := func(s protocol.Sum) protocol.Sum { s.Sum++; return s }
	reject("another leaf hash", root, flipped(leaf), n, proof)
	reject("more fuel in the leaf", root, more(leaf), n, proof)
	reject("another root hash", flipped(root), leaf, n, proof)
	reject("more fuel in the root", more(root), leaf, n, proof)
	reject("a total of none", root, leaf, 0, proof)
	reject("a sibling too many", root, leaf, n, append(slices.Clone(proof), leaf))
	if len(proof) > 0 {
		reject("a sibling missing", root, leaf, n, proof[:len(proof)-1])
		reject("no proof", root, leaf, n, nil)
	}
	for k := range proof {
		for what, change := range map[string]func(protocol.Sum) protocol.Sum{
			"another sibling": flipped, "more fuel in a sibling": more,
		} {
			wrong := slices.Clone(proof)
			wrong[k] = change(wrong[k])
			reject(what, root, leaf, n, wrong)
		}
	}
	// Fuel moved from one half to the other leaves the total alone but not the hash.
	if len(proof) > 0 {
		moved, wrong := more(leaf), slices.Clone(proof)
		wrong[0].Sum--
		reject("fuel moved to the leaf", root, moved, n, wrong)
	}
}

// A wrong number of leaves is refused wherever it changes how many siblings the path has.
func TestVerifySumRefusesAnotherTotal(t *testing.T) {
	depth := func(position, total uint32) (siblings int) {
		for ; total > 1; position, total = position/2, (total+1)/2 {
			if position^1 < total {
				siblings++
			}
		}
		return siblings
	}
	tried := 0
	for n := uint32(1); n <= 40; n++ {
		tree := must[*protocol.SumTree](t)(protocol.NewSumTree(sums(int(n))))
		for i := range n {
			for total := i + 1; total <= n+9; total++ {
				if depth(i, total) == depth(i, n) {
					continue
				}
				tried++
				if protocol.VerifySum(tree.Root(), sums(int(n))[i], i, total, tree.Proof(int(i))) {
					t.Fatalf("leaf %d of %d passes for one of %d", i, n, total)
				}
			}
		}
	}
	if tried == 0 {
		t.Error("no other total was tried")
	}
}

func TestSumTreeRefusesOverflow(t *testing.T) {
	most := []protocol.Sum{{Hash: named("a"), Sum: math.MaxUint64 - 1}, {Hash: named("b"), Sum: 1}}
	tree := must[*protocol.SumTree](t)(protocol.NewSumTree(most))
	if got := tree.Root().Sum; got != math.MaxUint64 {
		t.Errorf("the sum is %d", got)
	}
	over := append(most, protocol.Sum{Hash: named("c"), Sum: 1})
	if _, err := protocol.NewSumTree(over); err == nil || err.Error() != "merkle tree: the sum exceeds 2^64" {
		t.Errorf("got %v", err)
	}

	// A prover that lets the sum wrap around builds a root that adds up modulo 2^64; it must not verify.
	sibling := protocol.Sum{Hash: named("sibling"), Sum: math.MaxUint64}
	leaf := protocol.Sum{Hash: named("leaf"), Sum: 2}
	wrapped := protocol.Sum{Hash: crypto.Keccak256Hash(pack(t, "bytes32,uint256,bytes32,uint256",
		leaf.Hash, big.NewInt(2), sibling.Hash, new(big.Int).SetUint64(math.MaxUint64))), Sum: 1}
	if protocol.VerifySum(wrapped, leaf, 0, 2, []protocol.Sum{sibling}) {
		t.Error("a sum that wrapped around was accepted")
	}
}

func TestSumTreeNeedsLeaves(t *testing.T) {
	if _, err := protocol.NewSumTree(nil); err == nil || err.Error() != "merkle tree without leaves" {
		t.Errorf("got %v", err)
	}
}

func TestProofOfAnOnlyLeafIsEmptyNotNil(t *testing.T) {
	tree := must[*protocol.SumTree](t)(protocol.NewSumTree(sums(1)))
	if proof := tree.Proof(0); proof == nil || len(proof) != 0 {
		t.Errorf("got %v", proof)
	}
}

func TestLeavesTreeAddsUpFuel(t *testing.T) {
	c := newChance(5)
	var leaves []protocol.Leaf
	var want []protocol.Sum
	fuel := uint64(0)
	for range 7 {
		leaf := c.leaf()
		leaf.Fuel >>= 8
		leaves, fuel = append(leaves, leaf), fuel+leaf.Fuel
		want = append(want, protocol.Sum{Hash: leaf.Hash(), Sum: leaf.Fuel})
	}
	root := must[*protocol.SumTree](t)(protocol.LeavesTree(leaves)).Root()
	if root.Sum != fuel || root != reference(t, want) {
		t.Errorf("root %v, want %v", root, reference(t, want))
	}
}
