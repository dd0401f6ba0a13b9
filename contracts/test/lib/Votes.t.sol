// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {Votes} from "../../src/lib/Votes.sol";
import {Vote, VoteStatus} from "../../src/types/Jury.sol";

contract VotesLibTest is Check {
    function test_noWordIsNoVote() public pure {
        _true(Votes.status(0) == VoteStatus.None, "an empty slot");
    }

    function testFuzz_wordsTellTheirStatus(bytes32 commitment, Vote memory vote) public pure {
        _true(Votes.status(Votes.committed(commitment)) == VoteStatus.Committed, "committed");
        _true(Votes.status(Votes.revealed(vote)) == VoteStatus.Revealed, "revealed");
        _true(Votes.status(Votes.declined()) == VoteStatus.Declined, "declined");
    }

    /// Votes that differ in any part have different words, and different commitments.
    function testFuzz_everyPartCounts(Vote memory vote, address juror, bytes32 nonce) public view {
        bytes32 word = Votes.revealed(vote);
        bytes32 commitment = Votes.commitmentOf("execution", juror, vote, nonce);
        _true(commitment != Votes.commitmentOf("other", juror, vote, nonce), "execution");
        _true(commitment != Votes.commitmentOf("execution", address(uint160(juror) ^ 1), vote, nonce), "juror");
        _true(commitment != Votes.commitmentOf("execution", juror, vote, ~nonce), "nonce");
        Vote memory other = Vote(~vote.digest, vote.fuel, vote.witness);
        _true(word != Votes.revealed(other), "digest");
        other = Vote(vote.digest, vote.fuel ^ 1, vote.witness);
        _true(word != Votes.revealed(other), "fuel");
        other = Vote(vote.digest, vote.fuel, ~vote.witness);
        _true(word != Votes.revealed(other), "witness");
        _true(commitment != Votes.commitmentOf("execution", juror, other, nonce), "vote");
    }

    /// Any jury of up to nine, each juror silent, committed, declined, or for one of three votes.
    function testFuzz_majority(uint256 dice, uint256 size) public pure {
        bytes32[] memory words = new bytes32[](_bound(size, 0, 9));
        uint256[6] memory count;
        for (uint256 k; k < words.length; ++k) {
            uint256 kind = uint8(dice >> (8 * k)) % 6;
            ++count[kind];
            if (kind == 1) words[k] = Votes.committed("sealed");
            if (kind == 2) words[k] = Votes.declined();
            if (kind > 2) words[k] = _for(kind);
        }
        (bool found, uint256 place) = Votes.majority(words);
        bool any;
        for (uint256 kind = 3; kind < 6; ++kind) {
            if (count[kind] * 2 <= words.length) continue;
            any = true;
            _true(found && words[place] == _for(kind), "the majority's word");
        }
        _true(found == any, "only a majority is one");
    }

    function _for(uint256 kind) private pure returns (bytes32) {
        return Votes.revealed(Vote(bytes32(kind), 1, 0));
    }
}
