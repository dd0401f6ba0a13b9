// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";
import {Execution, Status, Verification} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";
import {Seat} from "../types/Seat.sol";

/// @title What the contract remembers of the records that callers bring: one word each.
/// @dev Structs of value types only lie in memory as abi.encode writes them, so they are hashed where they are.
library Records {
    struct State {
        /// 1 + first piece never assigned, for open jobs.
        mapping(bytes32 job => uint256) frontiers;
        mapping(bytes32 execution => bytes32) executions;
        mapping(bytes32 key => bytes32) seats;
    }

    uint256 private constant TERMS_BYTES = 14 * 32;
    uint256 private constant EXECUTION_BYTES = 12 * 32;
    uint256 private constant SEAT_BYTES = 11 * 32;

    function jobId(Terms calldata terms) internal view returns (bytes32 id) {
        // keccak256(abi.encode(block.chainid, address(this), terms)), without decoding what is already encoded.
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, chainid())
            mstore(add(scratch, 0x20), address())
            calldatacopy(add(scratch, 0x40), terms, TERMS_BYTES)
            id := keccak256(scratch, add(TERMS_BYTES, 0x40))
        }
    }

    /// `parent` is a job or a returned execution; each gives every `from` away at most once.
    function executionId(bytes32 parent, uint32 from) internal pure returns (bytes32) {
        return keccak256(abi.encode(parent, from));
    }

    /// Id of the pieces behind a settled piece. The longer preimage keeps it apart from every `executionId`.
    function splitId(bytes32 execution, uint32 from) internal pure returns (bytes32) {
        return keccak256(abi.encode(execution, from, "split"));
    }

    function seatKey(bytes32 execution, uint8 number) internal pure returns (bytes32) {
        return keccak256(abi.encode(execution, number));
    }

    function hash(Execution memory execution) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(execution, EXECUTION_BYTES)
        }
    }

    function hash(Seat memory seat) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(seat, SEAT_BYTES)
        }
    }

    function hash(Verification memory verification) internal pure returns (bytes32) {
        return keccak256(abi.encode(verification));
    }

    /// The caller's record, if it is the present one, has `want` as its status and belongs to `job`.
    function load(State storage self, bytes32 job, Execution calldata given, Status want)
        internal
        view
        returns (Execution memory)
    {
        Execution memory execution = load(self, given, want);
        if (execution.job != job) revert IMarket.WrongJob(execution.job, job);
        return execution;
    }

    function load(State storage self, Execution calldata given, Status want) internal view returns (Execution memory) {
        Execution memory execution = given;
        requireSame(execution.id, self.executions[execution.id], hash(execution));
        if (execution.status != want) revert IMarket.WrongStatus(execution.id, execution.status, want);
        return execution;
    }

    function store(State storage self, Execution memory execution) internal {
        self.executions[execution.id] = hash(execution);
    }

    function store(State storage self, Seat memory seat) internal {
        self.seats[seatKey(seat.execution, seat.number)] = hash(seat);
    }

    /// Forgets a finished execution and its seats.
    function drop(State storage self, bytes32 execution, Seat[] memory seats) internal {
        delete self.executions[execution];
        for (uint256 i; i < seats.length; ++i) {
            delete self.seats[seatKey(execution, seats[i].number)];
        }
    }

    /// Pieces up to `next` of `pieces` are assigned; a job without pieces left is forgotten.
    function advance(State storage self, bytes32 job, uint32 next, uint32 pieces) internal {
        self.frontiers[job] = next == pieces ? 0 : uint256(next) + 1;
    }

    function requireSame(bytes32 id, bytes32 want, bytes32 have) internal pure {
        if (want != have) revert IMarket.StaleRecord(id, want, have);
    }
}
