// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";
import {Challenge, Execution, Status, Verification} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";
import {Seat} from "../types/Seat.sol";

/// @title What the contract remembers of the records that callers bring: one word each.
/// @dev Structs of value types only lie in memory as abi.encode writes them, so they are hashed where they are. And
/// what hashes to a stored word is what this contract once wrote, so it is copied as it came and its fields need no
/// checks.
library Records {
    struct State {
        /// 1 + first piece never assigned, for open jobs.
        mapping(bytes32 job => uint256) frontiers;
        mapping(bytes32 execution => bytes32) executions;
        mapping(bytes32 key => bytes32) seats;
        /// Challenge or jury.
        mapping(bytes32 execution => bytes32) disputes;
        /// Words of `Votes`.
        mapping(bytes32 key => bytes32) votes;
        /// 1 + the piece that the first seat of a silent client's panel named.
        mapping(bytes32 execution => uint256) named;
        /// Results of the seats that opened it.
        mapping(bytes32 key => bytes32) opened;
    }

    uint256 private constant TERMS_BYTES = 14 * 32;
    uint256 private constant EXECUTION_BYTES = 12 * 32;
    uint256 private constant VERIFICATION_BYTES = 11 * 32;
    uint256 private constant SEAT_BYTES = 11 * 32;
    uint256 private constant CHALLENGE_BYTES = 5 * 32;

    /// Fills in the terms as they came and gives their job. Only terms whose encoding was checked have a job.
    function load(Terms memory terms, Terms calldata given) internal view returns (bytes32 job) {
        assembly ("memory-safe") {
            calldatacopy(terms, given, TERMS_BYTES)
        }
        return jobId(given);
    }

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

    function hash(Challenge memory challenge) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(challenge, CHALLENGE_BYTES)
        }
    }

    function hash(Verification memory verification) internal pure returns (bytes32) {
        return keccak256(abi.encode(verification));
    }

    /// Fills in the caller's record, which must be the present one, have `want` as its status and belong to `job`.
    function load(State storage self, Execution memory execution, Execution calldata given, bytes32 job, Status want)
        internal
        view
    {
        load(self, execution, given, want);
        if (execution.job != job) revert IMarket.WrongJob(execution.job, job);
    }

    function load(State storage self, Execution memory execution, Execution calldata given, Status want) internal view {
        assembly ("memory-safe") {
            calldatacopy(execution, given, EXECUTION_BYTES)
        }
        requireSame(execution.id, self.executions[execution.id], hash(execution));
        if (execution.status != want) revert IMarket.WrongStatus(execution.id, execution.status, want);
    }

    /// Fills in the caller's verification of the execution `id`; its hash must be `want`.
    function load(Verification memory verification, Verification calldata given, bytes32 id, bytes32 want)
        internal
        pure
    {
        uint256[] calldata listed = given.listed;
        bytes32 have;
        assembly ("memory-safe") {
            // abi.encode(verification): where the struct starts, its words, and at their end the list. The third word
            // says where the list is: in the encoding from the struct on, in memory as an address.
            let preimage := mload(0x40)
            let list := add(preimage, add(VERIFICATION_BYTES, 0x20))
            let end := add(add(list, 0x20), shl(5, listed.length))
            mstore(preimage, 0x20)
            calldatacopy(add(preimage, 0x20), given, VERIFICATION_BYTES)
            mstore(add(preimage, 0x60), VERIFICATION_BYTES)
            mstore(list, listed.length)
            calldatacopy(add(list, 0x20), listed.offset, shl(5, listed.length))
            have := keccak256(preimage, sub(end, preimage))
            calldatacopy(verification, given, VERIFICATION_BYTES)
            mstore(add(verification, 0x40), list)
            mstore(0x40, end)
        }
        requireSame(id, want, have);
    }

    /// Fills in the caller's seat, whose key must be `key` and which must be the present one.
    function load(State storage self, Seat memory seat, Seat calldata given, bytes32 key) internal view {
        copy(seat, given);
        requireSame(key, self.seats[key], hash(seat));
    }

    /// Fills in the caller's challenge, which must be the present one of the execution `id`.
    function load(State storage self, Challenge memory challenge, Challenge calldata given, bytes32 id) internal view {
        assembly ("memory-safe") {
            calldatacopy(challenge, given, CHALLENGE_BYTES)
        }
        requireSame(id, self.disputes[id], hash(challenge));
    }

    /// Its hash is still to be compared with the stored one.
    function copy(Seat memory seat, Seat calldata given) internal pure {
        assembly ("memory-safe") {
            calldatacopy(seat, given, SEAT_BYTES)
        }
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

    /// Forgets what the seats of a silent client's panel opened.
    function dropOpened(State storage self, bytes32 execution) internal {
        delete self.named[execution];
        for (uint8 number = 1; number <= 3; ++number) {
            delete self.opened[seatKey(execution, number)];
        }
    }

    /// First piece of the job that was never assigned. Fails with `UnknownJob` if there is none.
    function firstPiece(State storage self, bytes32 job) internal view returns (uint32) {
        uint256 next = self.frontiers[job];
        if (next == 0) revert IMarket.UnknownJob(job);
        return uint32(next - 1);
    }

    /// Pieces up to `next` of `pieces` are assigned; a job without pieces left is forgotten.
    function advance(State storage self, bytes32 job, uint32 next, uint32 pieces) internal {
        self.frontiers[job] = next == pieces ? 0 : uint256(next) + 1;
    }

    function requireSame(bytes32 id, bytes32 want, bytes32 have) internal pure {
        if (want != have) revert IMarket.StaleRecord(id, want, have);
    }
}
