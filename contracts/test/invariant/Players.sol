// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "../fixture/Game.sol";
import {Outcome} from "../../src/types/Execution.sol";
import {Leaf} from "../../src/types/Seat.sol";

/// @title What all the handler's subjects share: the dice, the open records, and a count of every kind of move.
abstract contract Players is Game {
    enum Move {
        Create,
        CloseJob,
        Accept,
        AcceptReturned,
        CloseReturned,
        Commit,
        TimeoutAssigned,
        Settle,
        TimeoutCommitted,
        Verify,
        Draw,
        TimeoutDrawing,
        CommitSeat,
        TimeoutSeat,
        Escalate,
        SettleVerified,
        Reveal,
        TimeoutSilent,
        TimeoutVerdict,
        Challenge,
        Answer,
        TimeoutChallenged,
        OpenSelf,
        SilentVerdict,
        SilentPair
    }

    /// Encoded, for the compiler cannot copy structs with arrays of structs into storage.
    bytes[] internal _runs;
    bytes[] internal _rests;
    bytes[] internal _jobs;

    uint256 public steps;
    mapping(Move move => uint256) public moves;
    uint256 internal _dice;

    /// The next number below `sides`.
    function _roll(uint256 sides) internal returns (uint256) {
        _dice = uint256(keccak256(abi.encode(_dice)));
        return _dice % sides;
    }

    function _count(Move move) internal {
        ++moves[move];
    }

    function _keepRest(Run memory r, bytes32 id, uint32 from, uint32 count) internal {
        _rests.push(abi.encode(r.terms, _returned(r.execution, id, from, count)));
    }

    function _remove(bytes[] storage list, uint256 i) internal {
        list[i] = list[list.length - 1];
        list.pop();
    }

    function _expired(uint64 deadline) internal returns (bool) {
        if (_roll(8) == 0 && block.timestamp <= deadline) vm.warp(deadline + 1);
        return block.timestamp > deadline;
    }

    function _mayLie(Leaf[] memory leaves) internal returns (Leaf[] memory) {
        return _roll(3) == 0 ? _lie(leaves, _roll(leaves.length)) : leaves;
    }

    function _anyListed(Run memory r) internal returns (uint32) {
        uint32 k = uint32(_roll(r.execution.count));
        while (!_has(r.verification.listed, k)) k = (k + 1) % r.execution.count;
        return r.execution.from + k;
    }

    /// What must come out, from who lied about the piece.
    function _outcome(Run memory r, uint32 piece) internal returns (Outcome) {
        bool[3] memory lied;
        uint256 liars;
        for (uint8 i; i < 3; ++i) {
            lied[i] = _lied(r, i + 1, piece);
            if (lied[i]) ++liars;
        }
        if (liars == 0) return Outcome.Agreed;
        if (liars > 1) return Outcome.AllDiffer;
        return lied[0] ? Outcome.FirstLost : lied[1] ? Outcome.SecondLost : Outcome.ThirdLost;
    }

    function _lied(Run memory r, uint8 seat, uint32 piece) internal returns (bool) {
        address node = seat == 1 ? r.execution.node : r.seats[seat - 2].node;
        bytes32 honest = _leaf(r.execution.id, node, piece, _truth(piece)).c;
        return r.leaves[seat - 1][_position(r, seat - 1, piece)].c != honest;
    }

    /// What returns of an execution when one piece of it is settled.
    function _keepRests(Run memory r, uint32 settled) internal {
        uint32 next = settled + 1;
        uint32 ahead = settled - r.execution.from;
        uint32 behind = r.execution.from + r.execution.count - next;
        bytes32 id = r.execution.id;
        if (ahead != 0) {
            _keepRest(r, id, r.execution.from, ahead);
            id = keccak256(abi.encode(id, next, "split"));
        }
        if (behind != 0) _keepRest(r, id, next, behind);
    }
}
