// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "./Bitmap.sol";
import {MerkleSum} from "./MerkleSum.sol";
import {Panel} from "./Panel.sol";
import {Secp256k1} from "./Secp256k1.sol";
import {IMarket} from "../IMarket.sol";
import {Outcome} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";
import {Leaf, Opening, Reveal, Seat, Sum} from "../types/Seat.sol";

/// @title Judges a revealed piece: decrypts what the three seats committed to and compares. Nobody can claim a
/// difference, only show one; and nothing that a seat committed to can make the comparison fail.
library Evidence {
    using Bitmap for uint256[];
    using MerkleSum for Sum[];

    uint256 private constant LEAF_BYTES = 6 * 32;
    /// Most bytes of the CID of published leaves.
    uint256 private constant MOST_CID_BYTES = 64;

    /// What one seat stands by for the revealed piece.
    struct Claim {
        bytes32 execution;
        uint8 seat;
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

    /// Fails with `NotListed` unless the panel has results of `piece` to compare.
    function requireListed(Panel.Case memory c, uint32 piece) internal pure {
        uint32 from = c.execution.from;
        bool listed = piece >= from && c.verification.listed.has(piece - from);
        bool escalated = c.terms.seats == 3 || c.verification.thirdTarget == 0 || piece == c.verification.escalated;
        if (!listed || !escalated) revert IMarket.NotListed(piece);
    }

    /// What the revealed piece shows. `digests` are what the seats committed to, 0 for one that nobody could read;
    /// `results` are what is compared.
    function judge(Panel.Case memory c, Reveal calldata reveal)
        internal
        view
        returns (Outcome outcome, bytes32[3] memory digests, bytes32[3] memory results)
    {
        requireListed(c, reveal.piece);
        _requireKey(c.terms, reveal);
        for (uint256 i; i < 3; ++i) {
            Claim memory claim = i == 0 ? _first(c, reveal.piece) : _verifier(c, c.seats[i - 1], reveal.piece);
            (digests[i], results[i]) = _open(claim, reveal, reveal.openings[i]);
        }
        outcome = _compare(results);
    }

    function _first(Panel.Case memory c, uint32 piece) private pure returns (Claim memory) {
        return Claim({
            execution: c.execution.id,
            seat: 1,
            node: c.execution.node,
            root: c.execution.root,
            fuel: c.execution.fuel,
            position: piece - c.execution.from,
            total: c.execution.count
        });
    }

    function _verifier(Panel.Case memory c, Seat memory seat, uint32 piece) private pure returns (Claim memory) {
        return Claim({
            execution: c.execution.id,
            seat: seat.number,
            node: seat.node,
            root: seat.root,
            fuel: seat.fuel,
            position: seat.pieces == 1 ? 0 : c.verification.listed.rank(piece - c.execution.from),
            total: seat.pieces
        });
    }

    function _requireKey(Terms memory terms, Reveal calldata reveal) private pure {
        address pk = Secp256k1.addressOfKey(reveal.sk);
        bytes32 leaf = keccak256(abi.encode(reveal.piece, reveal.specDigest, pk));
        bool known = pk != address(0) && reveal.specProof.proves(leaf, 0, reveal.piece, terms.pieces, terms.specRoot, 0);
        if (!known) revert IMarket.WrongKey(pk, terms.specRoot);
    }

    /// Digest and result of one seat. A result is equal to another seat's iff digest and fuel are. A leaf of another
    /// piece and a ciphertext without a point have a result that equals no other: they must not block the reveal.
    function _open(Claim memory claim, Reveal calldata reveal, Opening calldata opening)
        private
        view
        returns (bytes32 digest, bytes32 result)
    {
        Leaf calldata leaf = opening.leaf;
        bool proven = opening.proof
            .proves(keccak256(abi.encode(leaf)), leaf.fuel, claim.position, claim.total, claim.root, claim.fuel);
        if (!proven) revert IMarket.BadProof(claim.seat);
        address product = Secp256k1.addressOfProduct(leaf.rx, leaf.parity, reveal.sk);
        if (leaf.index != reveal.piece || product == address(0)) {
            return (0, keccak256(abi.encode("junk", claim.execution, claim.seat)));
        }
        if (product != Secp256k1.addressOf(opening.sx, opening.sy)) revert IMarket.WrongPoint(claim.seat);
        digest = leaf.c ^ _mask(claim, opening, leaf.index);
        result = keccak256(abi.encode(digest, leaf.fuel));
    }

    /// Chain, contract, execution, piece and node are in the mask, so that a copied ciphertext decrypts to noise.
    function _mask(Claim memory claim, Opening calldata opening, uint32 index) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(opening.sx, opening.sy, block.chainid, address(this), claim.execution, index, claim.node)
            );
    }

    function _compare(bytes32[3] memory results) private pure returns (Outcome) {
        if (results[0] == results[1]) return results[1] == results[2] ? Outcome.Agreed : Outcome.ThirdLost;
        if (results[0] == results[2]) return Outcome.SecondLost;
        return results[1] == results[2] ? Outcome.FirstLost : Outcome.AllDiffer;
    }
}
