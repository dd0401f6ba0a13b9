// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "./Bitmap.sol";
import {Pay} from "./Pay.sol";
import {IMarket} from "../IMarket.sol";
import {Execution} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";

/// @title Which pieces the client has to check: decided by its sealed seed and the node's commitment together.
library Dice {
    /// What the client loses of its bond, wei, for having `listed` for verification other pieces than the dice hit.
    /// Fails with `WrongSeed` unless `seed` is the sealed one.
    function lossRoundedUp(Terms calldata terms, Execution memory e, uint256[] memory listed, bytes32 seed)
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
    function roll(bytes32 seed, bytes32 root, bytes32 execution, uint32 count, uint16 rate)
        internal
        pure
        returns (uint256[] memory hits)
    {
        hits = new uint256[](Bitmap.wordsFor(count));
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, seed)
            mstore(add(preimage, 0x20), root)
            mstore(add(preimage, 0x40), execution)
            let word := add(hits, 0x20)
            for { let k := 0 } lt(k, count) {} {
                mstore(add(preimage, 0x60), shr(4, k))
                let lanes := keccak256(preimage, 0x80)
                let end := add(k, 16)
                if gt(end, count) { end := count }
                let bits := 0
                let bit := shl(and(k, 0xff), 1)
                for {} lt(k, end) { k := add(k, 1) } {
                    if lt(shr(240, lanes), rate) { bits := or(bits, bit) }
                    lanes := shl(16, lanes)
                    bit := shl(1, bit)
                }
                if bits {
                    let slot := add(word, shl(5, shr(8, sub(k, 1))))
                    mstore(slot, or(mload(slot), bits))
                }
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
