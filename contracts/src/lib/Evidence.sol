// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "./Bitmap.sol";
import {MerkleSum} from "./MerkleSum.sol";
import {Panel} from "./Panel.sol";
import {Secp256k1} from "./Secp256k1.sol";
import {IMarket} from "../IMarket.sol";
import {Outcome} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";
import {Disclosure, Leaf, Opening, Reveal, Seat, Sum} from "../types/Seat.sol";

/// @title Judges an opened piece: decrypts what the seats committed to and compares. Nobody can claim a difference, only
/// show one; and nothing that a seat committed to can make the comparison fail.
library Evidence {
    using Bitmap for uint256[];
    using MerkleSum for Sum[];

    uint256 private constant LEAF_BYTES = 6 * 32;
    /// Most bytes of the CID of published leaves.
    uint256 private constant MOST_CID_BYTES = 64;

    /// What one seat stands by for one piece: the leaf at `position` of `total` under its root.
    struct Claim {
        bytes32 execution;
        uint8 seat;
        uint32 piece;
        address node;
        bytes32 root;
        uint64 fuel;
        uint256 position;
        uint256 total;
    }

    /// Checks what is published with a commitment over `pieces` leaves: the leaf itself if it is just one, of a piece
    /// in [first, last], otherwise a short text.
    function requireLeaves(bytes calldata leaves, bytes32 root, uint64 fuel, uint32 pieces, uint32 first, uint32 last)
        internal
        pure
    {
        if (pieces != 1) {
            if (leaves.length > MOST_CID_BYTES) revert IMarket.LeavesTooLong(leaves.length, MOST_CID_BYTES);
            return;
        }
        bool fits = leaves.length == LEAF_BYTES && keccak256(leaves) == root;
        if (fits) {
            uint256[6] calldata words;
            assembly ("memory-safe") {
                words := leaves.offset
            }
            fits = words[0] >= first && words[0] <= last && words[2] <= type(uint8).max && words[4] == fuel;
        }
        if (!fits) revert IMarket.LeafMismatch(keccak256(leaves), root);
    }

    /// Fails with `NotListed` unless the panel was to run `piece`.
    function requireListed(Panel.Case memory c, uint32 piece) internal pure {
        uint32 from = c.execution.from;
        if (piece < from || !c.verification.listed.has(piece - from)) revert IMarket.NotListed(piece);
    }

    /// Fails with `NotListed` unless the whole panel has results of `piece` to compare.
    function requireComparable(Panel.Case memory c, uint32 piece) internal pure {
        requireListed(c, piece);
        bool all = c.terms.seats == 3 || c.verification.thirdTarget == 0 || piece == c.verification.escalated;
        if (!all) revert IMarket.NotListed(piece);
    }

    /// The claim of a seat, 1 or a verifier of the panel, on a piece that it was to run.
    function claim(Panel.Case memory c, uint8 number, uint32 piece) internal pure returns (Claim memory) {
        uint32 k = piece - c.execution.from;
        if (number == 1) return _first(c, piece, k);
        Seat memory seat = c.seats[number - 2];
        return Claim({
            execution: c.execution.id,
            seat: number,
            piece: piece,
            node: seat.node,
            root: seat.root,
            fuel: seat.fuel,
            position: seat.pieces == 1 ? 0 : c.verification.listed.rank(k),
            total: seat.pieces
        });
    }

    /// Fails with `BadProof` unless the leaf is the one that the claim speaks of.
    function requireProven(Claim memory self, Opening calldata opening) internal pure {
        Leaf calldata leaf = opening.leaf;
        bool proven = opening.proof
        .proves(keccak256(abi.encode(leaf)), leaf.fuel, self.position, self.total, self.root, self.fuel);
        if (!proven) revert IMarket.BadProof(self.seat);
    }

    /// What the revealed piece shows. `digests` are what the seats committed to, 0 for one that nobody could read;
    /// `results` are what is compared.
    function judge(Panel.Case memory c, Reveal calldata reveal)
        internal
        view
        returns (Outcome outcome, bytes32[3] memory digests, bytes32[3] memory results)
    {
        requireComparable(c, reveal.piece);
        address pk = Secp256k1.addressOfKey(reveal.sk);
        _requireKey(c.terms, reveal.piece, pk, reveal.specDigest, reveal.specProof);
        for (uint8 i; i < 3; ++i) {
            (digests[i], results[i]) = _open(claim(c, i + 1, reveal.piece), reveal.openings[i], reveal.sk);
        }
        outcome = compare(results);
    }

    /// Digest and result of a seat's own leaf, by its scalar r. A leaf that names another piece or has no point cannot be
    /// opened. Fails with `WrongKey`, `BadProof`, `WrongScalar` or `WrongPoint`.
    function disclose(Panel.Case memory c, uint8 number, Disclosure calldata d)
        internal
        view
        returns (bytes32 digest, bytes32 result)
    {
        address pk = Secp256k1.addressOf(d.pkx, d.pky);
        _requireKey(c.terms, d.piece, pk, d.specDigest, d.specProof);
        Claim memory own = claim(c, number, d.piece);
        requireProven(own, d.opening);
        Leaf calldata leaf = d.opening.leaf;
        address point = Secp256k1.addressOfKey(d.r);
        bool known = point != address(0) && point == Secp256k1.addressOfProduct(leaf.rx, leaf.parity, 1);
        if (leaf.index != d.piece || !known) revert IMarket.WrongScalar(number);
        address product = Secp256k1.addressOfProduct(d.pkx, uint8(d.pky & 1), d.r);
        return _read(own, d.opening, product);
    }

    function compare(bytes32[3] memory results) internal pure returns (Outcome) {
        if (results[0] == results[1]) return results[1] == results[2] ? Outcome.Agreed : Outcome.ThirdLost;
        if (results[0] == results[2]) return Outcome.SecondLost;
        return results[1] == results[2] ? Outcome.FirstLost : Outcome.AllDiffer;
    }

    function _first(Panel.Case memory c, uint32 piece, uint32 k) private pure returns (Claim memory) {
        return Claim({
            execution: c.execution.id,
            seat: 1,
            piece: piece,
            node: c.execution.node,
            root: c.execution.root,
            fuel: c.execution.fuel,
            position: k,
            total: c.execution.count
        });
    }

    function _requireKey(Terms memory terms, uint32 piece, address pk, bytes32 specDigest, Sum[] calldata specProof)
        private
        pure
    {
        bytes32 leaf = keccak256(abi.encode(piece, specDigest, pk));
        bool known = pk != address(0) && specProof.proves(leaf, 0, piece, terms.pieces, terms.specRoot, 0);
        if (!known) revert IMarket.WrongKey(pk, terms.specRoot);
    }

    /// Digest and result of one seat by the client's key. A result is equal to another seat's iff digest and fuel are. A
    /// leaf of another piece and a ciphertext without a point have a result that equals no other: they must not block
    /// the reveal.
    function _open(Claim memory self, Opening calldata opening, uint256 sk)
        private
        view
        returns (bytes32 digest, bytes32 result)
    {
        requireProven(self, opening);
        Leaf calldata leaf = opening.leaf;
        address product = Secp256k1.addressOfProduct(leaf.rx, leaf.parity, sk);
        if (leaf.index != self.piece || product == address(0)) {
            return (0, keccak256(abi.encode("junk", self.execution, self.seat)));
        }
        return _read(self, opening, product);
    }

    /// Decrypts a leaf with the shared point S, whose address must be `product`.
    function _read(Claim memory self, Opening calldata opening, address product)
        private
        view
        returns (bytes32 digest, bytes32 result)
    {
        bool fits = product != address(0) && product == Secp256k1.addressOf(opening.sx, opening.sy);
        if (!fits) revert IMarket.WrongPoint(self.seat);
        digest = opening.leaf.c ^ _mask(self, opening);
        result = keccak256(abi.encode(digest, opening.leaf.fuel));
    }

    /// Chain, contract, execution, piece and node are in the mask, so that a copied ciphertext decrypts to noise.
    function _mask(Claim memory self, Opening calldata opening) private view returns (bytes32) {
        return keccak256(
            abi.encode(opening.sx, opening.sy, block.chainid, address(this), self.execution, self.piece, self.node)
        );
    }
}
