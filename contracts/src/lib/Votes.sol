// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Vote, VoteStatus} from "../types/Jury.sol";

/// @title A juror's vote as the contract remembers it, in one word: the lowest two bits are its `VoteStatus`, the others
/// those of a hash. Committed it is the hash that the juror sealed its vote with, Revealed that of the vote itself.
library Votes {
    uint256 private constant STATUS_BITS = 3;

    function status(bytes32 word) internal pure returns (VoteStatus) {
        return VoteStatus(uint256(word) & STATUS_BITS);
    }

    function committed(bytes32 commitment) internal pure returns (bytes32) {
        return _word(commitment, VoteStatus.Committed);
    }

    /// Two of these are equal iff the votes are.
    function revealed(Vote memory vote) internal pure returns (bytes32) {
        return _word(keccak256(abi.encode(vote)), VoteStatus.Revealed);
    }

    function declined() internal pure returns (bytes32) {
        return _word(0, VoteStatus.Declined);
    }

    /// What seals a vote. The juror is in it, so that a copied commitment can never be opened.
    function commitmentOf(bytes32 execution, address juror, Vote memory vote, bytes32 nonce)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), execution, juror, vote, nonce));
    }

    /// Place of a vote that more than half of all jurors have revealed alike; `found` is false if there is none.
    function majority(bytes32[] memory words) internal pure returns (bool found, uint256 place) {
        for (; place < words.length; ++place) {
            if (status(words[place]) != VoteStatus.Revealed) continue;
            uint256 alike;
            for (uint256 k; k < words.length; ++k) {
                if (words[k] == words[place]) ++alike;
            }
            if (2 * alike > words.length) return (true, place);
        }
    }

    function _word(bytes32 hash, VoteStatus s) private pure returns (bytes32) {
        return bytes32((uint256(hash) & ~STATUS_BITS) | uint256(s));
    }
}
