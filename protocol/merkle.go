package protocol

import (
	"fmt"
	"math/bits"
)

// SumTree is a Merkle tree whose nodes also add up a number (fuel). The last node of an odd level moves up unchanged,
// so that proofs hold real siblings only and a tree of one leaf has an empty proof. Inner nodes hash four words and
// leaves three or six, so one cannot pass for the other.
type SumTree struct {
	levels [][]Sum // leaves first, root last
}

// NewSumTree builds the tree; it fails without leaves and when the sum overflows.
func NewSumTree(leaves []Sum) (*SumTree, error) {
	if len(leaves) == 0 {
		return nil, fmt.Errorf("merkle tree without leaves")
	}
	t := &SumTree{levels: [][]Sum{leaves}}
	for level := leaves; len(level) > 1; {
		next := make([]Sum, 0, (len(level)+1)/2)
		for i := 0; i+1 < len(level); i += 2 {
			parent, ok := join(level[i], level[i+1])
			if !ok {
				return nil, fmt.Errorf("merkle tree: the sum exceeds 2^64")
			}
			next = append(next, parent)
		}
		if len(level)%2 == 1 {
			next = append(next, level[len(level)-1])
		}
		t.levels = append(t.levels, next)
		level = next
	}
	return t, nil
}

// Root is the top node: the hash to commit to and the sum of all leaves.
func (t *SumTree) Root() Sum { return t.levels[len(t.levels)-1][0] }

// Proof lists the siblings of the leaf at position, bottom-up. The position must be in the tree.
func (t *SumTree) Proof(position int) []Sum {
	proof := []Sum{} // never nil: an empty list has to encode as one
	for _, level := range t.levels[:len(t.levels)-1] {
		if sibling := position ^ 1; sibling < len(level) {
			proof = append(proof, level[sibling])
		}
		position /= 2
	}
	return proof
}

// VerifySum says whether leaf stands at position of a tree with total leaves and this root.
func VerifySum(root, leaf Sum, position, total uint32, proof []Sum) bool {
	if position >= total {
		return false
	}
	node, ok := leaf, true
	for last := total - 1; last > 0; position, last = position/2, last/2 {
		if position == last && last%2 == 0 {
			continue // an odd level's last node
		}
		if len(proof) == 0 {
			return false
		}
		if position%2 == 0 {
			node, ok = join(node, proof[0])
		} else {
			node, ok = join(proof[0], node)
		}
		if !ok {
			return false
		}
		proof = proof[1:]
	}
	return len(proof) == 0 && node == root
}

func join(left, right Sum) (Sum, bool) {
	sum, carry := bits.Add64(left.Sum, right.Sum, 0)
	hash := words{}.hash(left.Hash).uint(left.Sum).hash(right.Hash).uint(right.Sum).keccak()
	return Sum{Hash: hash, Sum: sum}, carry == 0
}

// LeavesTree is the tree over a node's leaves, which sums up their fuel.
func LeavesTree(leaves []Leaf) (*SumTree, error) {
	nodes := make([]Sum, len(leaves))
	for i, l := range leaves {
		nodes[i] = Sum{Hash: l.Hash(), Sum: l.Fuel}
	}
	return NewSumTree(nodes)
}
