// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "./Bitmap.sol";
import {Pay} from "./Pay.sol";
import {IMarket} from "../IMarket.sol";
import {Execution} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";

/// @title Which pieces the client has to check: decided by its sealed seed and the node's commitment together.
library Dice {
    /// Bit 32·i is set.
    uint256 private constant EVERY_32ND = 0x0000000100000001000000010000000100000001000000010000000100000001;
    /// Bits 32·i to 32·i + 15 are set.
    uint256 private constant EVERY_OTHER_LANE = 0x0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF;
    /// Bit 255 - 17·i is set: times a number with bits at 16·i only, it puts bit 16·i of that at 255 - i, and no other
    /// product of two bits falls among the upper sixteen.
    uint256 private constant GATHER = 0x8000400020001000080004000200010000800040002000100008000400020001;

    /// What the client loses of its bond, wei, for having `listed` for verification other pieces than the dice hit.
    /// Fails with `WrongSeed` unless `seed` is the sealed one.
    function lossRoundedUp(Terms memory terms, Execution memory e, uint256[] memory listed, bytes32 seed)
        internal
        pure
        returns (uint256)
    {
        bytes32 seedHash = keccak256(abi.encode(seed));
        if (seedHash != e.seedHash) revert IMarket.WrongSeed(seedHash, e.seedHash);
        uint256[] memory hits = roll(seed, e.root, e.id, e.count, terms.checkRate);
        return Pay.burnRoundedUp(terms.bond, mistakes(hits, listed), Bitmap.size(hits));
    }

    using Bitmap for uint256[];

    /// Piece k of the execution is hit iff lane k % 16 (16 bits, the first is the most significant) of
    /// keccak256(abi.encode(seed, root, execution, k / 16)) is below `rate`.
    /// @dev Sixteen pieces at a time. Every other lane is put into 32 bits of its own and taken from 2^16 + rate - 1,
    /// which leaves bit 16 iff lane < rate; one multiplication moves the sixteen bits next to each other.
    function roll(bytes32 seed, bytes32 root, bytes32 execution, uint32 count, uint16 rate)
        internal
        pure
        returns (uint256[] memory hits)
    {
        hits = new uint256[](Bitmap.wordsFor(count));
        uint256 base = (0xffff + uint256(rate)) * EVERY_32ND;
        assembly ("memory-safe") {
            let words := add(hits, 0x20)
            let preimage := mload(0x40)
            mstore(preimage, seed)
            mstore(add(preimage, 0x20), root)
            mstore(add(preimage, 0x40), execution)
            for { let group := 0 } lt(shl(4, group), count) { group := add(group, 1) } {
                mstore(add(preimage, 0x60), group)
                let lanes := keccak256(preimage, 0x80)
                let odd := and(sub(base, and(lanes, EVERY_OTHER_LANE)), shl(16, EVERY_32ND))
                let even := and(sub(base, and(shr(16, lanes), EVERY_OTHER_LANE)), shl(16, EVERY_32ND))
                let bits := shr(240, mul(or(shr(16, odd), even), GATHER))
                let slot := add(words, shl(5, shr(4, group)))
                mstore(slot, or(mload(slot), shl(shl(4, and(group, 15)), bits)))
            }
            // The last sixteen may be more than the execution has.
            let rest := and(count, 0xff)
            if rest {
                let slot := add(words, shl(5, shr(8, count)))
                mstore(slot, and(mload(slot), sub(shl(rest, 1), 1)))
            }
        }
    }

    /// Pieces that are in only one of the two sets: hits that were skipped and listed pieces that were none.
    function mistakes(uint256[] memory hits, uint256[] memory listed) internal pure returns (uint256 wrong) {
        for (uint256 i; i < hits.length; ++i) {
            uint256 named = i < listed.length ? listed[i] : 0;
            wrong += Bitmap.ones(hits[i] ^ named);
        }
    }
}
