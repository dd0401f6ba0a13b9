// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Players} from "./Players.sol";
import {Outcome, Status} from "../../src/types/Execution.sol";
import {Jury, Vote, VoteStatus} from "../../src/types/Jury.sol";

/// @title The steps of an appeal.
abstract contract Jurors is Players {
    /// A jury, and what its jurors have sealed and shown.
    struct Bench {
        Jury jury;
        Vote[JURORS] secrets;
        Vote[] votes;
        VoteStatus[JURORS] stands;
    }

    mapping(bytes32 execution => bytes) private _benches;

    /// Lets a loser appeal, or not.
    function _mayAppeal(Run memory r) internal returns (bool) {
        if (block.timestamp > r.execution.deadline || _roll(4) == 0) return false;
        bool differ = r.verification.outcome == Outcome.AllDiffer;
        uint8 loser = uint8(r.verification.outcome) - uint8(Outcome.FirstLost) + 1;
        Bench memory b;
        b.jury = _appeal(r, differ ? uint8(1 + _roll(3)) : loser).jury;
        _keep(b);
        _count(Move.Appeal);
        return true;
    }

    function _keep(Bench memory b) private {
        _benches[b.jury.execution] = abi.encode(b);
    }

    function _playAppealed(Run memory r) internal returns (bool) {
        Bench memory b = abi.decode(_benches[r.execution.id], (Bench));
        Trial memory t = Trial({run: r, jury: b.jury, votes: b.votes});
        if (t.jury.jurors.length == 0) {
            if (_expired(t.jury.deadline)) return _playOver(t, b);
            _drawJury(t);
            b.votes = t.votes;
            _keep(b);
            _count(Move.DrawJury);
            return false;
        }
        if (_roll(40) != 0 && (_playVote(t, b) || _playOpening(t, b))) {
            _keep(b);
            return false;
        }
        return _playOver(t, b);
    }

    /// A juror where its vote stands at `status`, or JURORS.
    function _any(Bench memory b, VoteStatus status) private returns (uint8 k) {
        k = uint8(_roll(JURORS));
        for (uint256 i; i < JURORS; ++i) {
            if (b.stands[k] == status) return k;
            k = (k + 1) % JURORS;
        }
        return JURORS;
    }

    function _playVote(Trial memory t, Bench memory b) private returns (bool) {
        uint8 k = _any(b, VoteStatus.None);
        if (k == JURORS || block.timestamp > t.jury.deadline || _roll(30) == 0) return false;
        bool early = block.timestamp <= t.jury.deadline - t.run.terms.executeWindow / 2;
        if (early && _roll(8) == 0 && _mayDecline(t.jury.jurors[k])) {
            _declineVote(t, 4 + k);
            b.stands[k] = VoteStatus.Declined;
            _count(Move.DeclineVote);
            return true;
        }
        bytes32 word = _roll(6) == 0 ? bytes32(_roll(3)) : uint256(t.jury.salt) % 3 == 0 ? COMMON_LIE : bytes32(0);
        b.secrets[k] = _vote(t, word);
        _commitVote(t, 4 + k, b.secrets[k]);
        b.stands[k] = VoteStatus.Committed;
        _count(Move.CommitVote);
        return true;
    }

    function _playOpening(Trial memory t, Bench memory b) private returns (bool) {
        uint8 k = _any(b, VoteStatus.Committed);
        if (k == JURORS || block.timestamp > t.jury.revealDeadline) return false;
        _revealVote(t, 4 + k, b.secrets[k]);
        b.votes = t.votes;
        b.stands[k] = VoteStatus.Revealed;
        _count(Move.RevealVote);
        return true;
    }

    function _playOver(Trial memory t, Bench memory b) private returns (bool) {
        bytes32 result = _majority(b);
        Run memory r = t.run;
        _timeoutAppealed(t);
        if (result == 0) {
            _count(Move.AppealHung);
        } else if (r.results[t.jury.appellant - 1] == result) {
            _count(Move.AppealWon);
        } else if (r.results[0] == result || r.results[1] == result || r.results[2] == result) {
            _count(Move.AppealLost);
        } else {
            _keepRest(r, r.execution.id, r.execution.from, r.execution.count);
            _count(Move.AppealLostByAll);
            return true;
        }
        if (result != 0 && r.results[0] != result) _keepRests(r, r.verification.revealed);
        return true;
    }

    /// The result that more than half of the jurors have revealed, or 0.
    function _majority(Bench memory b) private pure returns (bytes32) {
        for (uint256 i; i < b.votes.length; ++i) {
            uint256 alike;
            for (uint256 k; k < b.votes.length; ++k) {
                bool same = keccak256(abi.encode(b.votes[i])) == keccak256(abi.encode(b.votes[k]));
                if (same && b.stands[k] == VoteStatus.Revealed) ++alike;
            }
            if (alike > JURORS / 2) return keccak256(abi.encode(b.votes[i].digest, b.votes[i].fuel));
        }
        return 0;
    }

    function _jurorsOf(Run memory r) internal view returns (address[] memory jurors) {
        if (r.execution.status != Status.Appealed) return jurors;
        return abi.decode(_benches[r.execution.id], (Bench)).jury.jurors;
    }

    /// What an appeal has locked.
    function _addAppeal(uint256[NODES] memory locks, Run memory r) internal view {
        Bench memory b = abi.decode(_benches[r.execution.id], (Bench));
        _addLock(locks, _nodeOf(r, b.jury.appellant), r.terms.fine);
        for (uint256 k; k < b.jury.jurors.length; ++k) {
            if (b.stands[k] != VoteStatus.Declined) _addLock(locks, b.jury.jurors[k], r.terms.fine);
        }
    }
}
