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

    /// Fills in the terms and gives their job. The caller must be its client.
    function requireClient(Terms memory t, Terms calldata terms) internal view returns (bytes32 job) {
        job = Records.load(t, terms);
        if (msg.sender != t.client) revert IMarket.NotClient(msg.sender, t.client);
    }

    /// As `requireClient`, and for everybody once the job has expired.
    function requireClientOrExpired(Terms memory t, Terms calldata terms) internal view returns (bytes32 job) {
        job = Records.load(t, terms);
        if (block.timestamp <= t.expiry && msg.sender != t.client) revert IMarket.NotClient(msg.sender, t.client);
    }

    /// Fills in the terms and the execution, on whose commitment the client must be allowed to act: in time, and once
    /// `confirmations` blocks make sure that no reorganisation takes it back.
    function requireConfirmed(
        Records.State storage records,
        Terms memory t,
        Execution memory e,
        Terms calldata terms,
        Execution calldata execution,
        uint32 confirmations
    ) internal view {
        records.load(e, execution, requireClient(t, terms), Status.Committed);
        Deadline.requireOpen(e.deadline);
        uint64 want = e.committedBlock + confirmations;
        if (block.number < want) revert IMarket.Unconfirmed(e.committedBlock, want, uint64(block.number));
    }
}
