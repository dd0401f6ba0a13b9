// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../fixture/Court.sol";
import {Outcome} from "../../src/types/Execution.sol";
import {Leaf} from "../../src/types/Seat.sol";

/// @title What all the handler's subjects share: the dice, the open records, and a count of every kind of move.
abstract contract Players is Court {
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
        Redraw,
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
        SilentPair,
        Appeal,
        DrawJury,
        CommitVote,
        DeclineVote,
        RevealVote,
        AppealWon,
        AppealLost,
        AppealLostByAll,
        AppealHung
    }

    /// Encoded, for the compiler cannot copy structs with arrays of structs into storage.
    bytes[] internal _runs;
    bytes[] internal _rests;
    bytes[] internal _jobs;

    uint256 public steps;
    /// How often a step left an execution with so many nodes in it: seats and jurors.
    mapping(uint256 nodes => uint256) public sittings;
    mapping(Move move => uint256) public moves;
    uint256 internal _dice;

    /// What liars say who have agreed on it.
    bytes32 internal constant COMMON_LIE = "a common lie";
    mapping(address node => mapping(uint256 day => uint256)) private _declines;

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
        if (_roll(12) == 0 && block.timestamp <= deadline) vm.warp(deadline + 1);
        return block.timestamp > deadline;
    }

    function _mayLie(Leaf[] memory leaves) internal returns (Leaf[] memory) {
        uint256 pick = _roll(6);
        if (pick > 2) return leaves;
        uint256 k = _roll(leaves.length);
        return pick == 0 ? _lie(leaves, k) : _twist(leaves, k, COMMON_LIE);
    }

    /// Counts that the node declines, unless it may not any more today.
    function _mayDecline(address node) internal returns (bool may) {
        uint256 today = block.timestamp / 1 days;
        may = _declines[node][today] < _parameters().declinesPerDay;
        if (may) ++_declines[node][today];
    }

    function _addLock(uint256[NODES] memory locks, address node, uint256 amount) internal pure {
        for (uint256 i; i < NODES; ++i) {
            if (_node(i) == node) locks[i] += amount;
        }
    }

    function _anyListed(Run memory r) internal returns (uint32) {
        uint32 k = uint32(_roll(r.execution.count));
        while (!_has(r.verification.listed, k)) k = (k + 1) % r.execution.count;
        return r.execution.from + k;
    }

    /// What must come out when a piece is opened.
    function _outcome(Run memory r, uint32 piece) internal returns (Outcome) {
        return _expected([_saidBy(r, 1, piece), _saidBy(r, 2, piece), _saidBy(r, 3, piece)]);
    }

    /// What a seat's result about a piece is twisted by; 0 if it is the truth.
    function _saidBy(Run memory r, uint8 seat, uint32 piece) internal returns (bytes32) {
        bytes32 honest = _leaf(r.execution.id, _nodeOf(r, seat), piece, _truth(piece)).c;
        return r.leaves[seat - 1][_position(r, seat - 1, piece)].c ^ honest;
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
