// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deadline} from "./Deadline.sol";
import {Records} from "./Records.sol";
import {IMarket} from "../IMarket.sol";
import {Execution, Status} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";

/// @title Who may act on a job, and when.
library Guard {
    using Records for Records.State;

    /// The job of these terms, if the caller is its client.
    function requireClient(Terms calldata terms) internal view returns (bytes32 job) {
        if (msg.sender != terms.client) revert IMarket.NotClient(msg.sender, terms.client);
        return Records.jobId(terms);
    }

    /// As `requireClient`, and for everybody once the job has expired.
    function requireClientOrExpired(Terms calldata terms) internal view returns (bytes32 job) {
        if (block.timestamp <= terms.expiry) return requireClient(terms);
        return Records.jobId(terms);
    }

    /// The execution, if the client may act on its commitment: in time, and once `confirmations` blocks make sure that
    /// no reorganisation takes it back.
    function requireConfirmed(
        Records.State storage records,
        Terms calldata terms,
        Execution calldata execution,
        uint32 confirmations
    ) internal view returns (Execution memory) {
        Execution memory e = records.load(requireClient(terms), execution, Status.Committed);
        Deadline.requireOpen(e.deadline);
        uint64 want = e.committedBlock + confirmations;
        if (block.number < want) revert IMarket.Unconfirmed(e.committedBlock, want, uint64(block.number));
        return e;
    }
}
