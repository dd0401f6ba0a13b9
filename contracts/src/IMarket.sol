// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Offer, Terms} from "./types/Job.sol";
import {Execution, Outcome, Status, Verification} from "./types/Execution.sol";
import {Reveal, Seat, SeatStatus} from "./types/Seat.sol";
import {Parameters, Wallet} from "./types/Parameters.sol";

/// @title Market: pays strangers for computation whose results can be trusted.
/// @notice Holds the money and the state machine of every job. Nobody owns it and nothing in it can be changed.
///
/// Records live in calldata. The contract keeps one slot per open job, one hash per execution and one hash per drawn
/// seat; callers bring the record itself, as the events gave it, and the contract checks the hash. A call with an
/// outdated record fails with `StaleRecord` and has no effect.
///
/// Deadlines are timestamps in seconds. An action is valid while block.timestamp <= deadline, its timeout once
/// block.timestamp > deadline, never both. Every timeout may be called by anyone. Amounts are wei.
interface IMarket {
    // ------------------------------------------------------------------ wallets and registry

    /// Money came in, from anyone, for `wallet`.
    event Deposited(address indexed wallet, uint256 amount);
    /// Money went out to its owner.
    event Withdrawn(address indexed wallet, uint256 amount);
    /// The node may be given work and may be drawn.
    event NodeRegistered(address indexed node);
    /// The node gets no new work; its locks come back as its seats end.
    event NodeExited(address indexed node);
    /// Where the wallet's node serves data (trustless HTTP gateway). Public, unchecked, last one counts.
    event EndpointAnnounced(address indexed wallet, string url);

    /// Adds msg.value to the caller's free balance. Fails with `TooMuchMoney` if the contract would hold more than
    /// 2^96 - 1 wei, so that no later credit can overflow.
    function deposit() external payable;
    /// Pays `amount` of the caller's free balance out to it. A wallet that rejects money only hurts itself.
    function withdraw(uint96 amount) external;
    /// Enters the caller in the registry. Needs free + locked >= minStake.
    function register() external;
    /// Takes the caller out of the registry.
    function exit() external;
    /// Emits `EndpointAnnounced`.
    function announce(string calldata url) external;

    function wallet(address owner) external view returns (Wallet memory);
    function nodes() external view returns (address[] memory);
    function parameters() external view returns (Parameters memory);
    /// Fines and bonds burned so far; this money never moves again.
    function burned() external view returns (uint256);

    // ------------------------------------------------------------------ jobs and offers

    event JobCreated(bytes32 indexed job, address indexed client, Terms terms);
    /// Unassigned pieces [from, pieces) were given back to the client, by itself or after expiry by anyone.
    event JobClosed(bytes32 indexed job, uint32 from);
    /// An offer and its signature, for a client that the node cannot reach directly. Checked only when accepted.
    event OfferPosted(bytes32 indexed job, address indexed node, Offer offer, bytes signature);
    /// `node` got pieces [from, from + count). `parent` is the job, or the returned execution they were taken from.
    /// `execution` is keccak256(abi.encode(parent, from)); `nonce` is the offer's.
    event ExecutionAssigned(
        bytes32 indexed job,
        bytes32 indexed execution,
        bytes32 parent,
        address indexed node,
        uint32 from,
        uint32 count,
        uint64 deadline,
        bytes32 seedHash,
        uint32 nonce
    );

    /// keccak256(abi.encode(chainid, contract, terms)).
    function jobId(Terms calldata terms) external view returns (bytes32);
    /// EIP-712 digest that a node signs.
    function offerDigest(Offer calldata offer) external view returns (bytes32);
    /// 1 + index of the first piece never assigned; 0 if the job has none left or does not exist.
    function frontier(bytes32 job) external view returns (uint32);
    /// The record hash of an execution, or zero.
    function executionHash(bytes32 execution) external view returns (bytes32);
    /// The record hash of a drawn seat, or zero.
    function seatHash(bytes32 execution, uint8 number) external view returns (bytes32);

    /// Creates a job and locks bid × pieces of the caller's free balance; minDeposit must stay free.
    /// Fails with `BadTerms` naming the field (or "encoding", if a number is wider than its type), `NonceSpent`,
    /// `InsufficientFree`, `NotClient`.
    function createJob(Terms calldata terms) external;
    /// Gives the never assigned pieces back: by the client at any time, by anyone after terms.expiry.
    function closeJob(Terms calldata terms) external;
    /// The same for a returned execution.
    function closeReturned(Terms calldata terms, Execution calldata execution) external;
    /// Emits `OfferPosted`.
    function postOffer(Offer calldata offer, bytes calldata signature) external;
    /// The client assigns the next `count` pieces to the node of a signed offer. Locks the node's fine and the
    /// client's bond, which must be at least 2 × bid × p × count. The node must be registered, hold minStake and have
    /// the fine free.
    function acceptOffer(
        Terms calldata terms,
        Offer calldata offer,
        bytes calldata signature,
        uint32 count,
        bytes32 seedHash
    ) external;
    /// The same with the first `count` pieces of a returned execution, which shrinks by them.
    function acceptReturned(
        Terms calldata terms,
        Execution calldata returned,
        Offer calldata offer,
        bytes calldata signature,
        uint32 count,
        bytes32 seedHash
    ) external;

    // ------------------------------------------------------------------ executions

    /// The node's result: Merkle-sum root and fuel. `leaves` is abi.encode(Leaf) if count is 1, else the CID of the
    /// published leaves. committedBlock is the event's block.
    event ResultCommitted(bytes32 indexed execution, bytes32 root, uint64 fuel, uint64 deadline, bytes leaves);
    /// The pieces went back to the job as the returned execution `returned`, with status Returned, no node, no deadline,
    /// no seedHash. Every execution that ends this way emits it at least once; a count of 0 means that nothing was left
    /// to return and no record is kept. The id stays the same unless seat 1 lost in the middle of its range: then the
    /// pieces behind the settled one get keccak256(abi.encode(execution, from, "split")), whose longer preimage no other
    /// id has.
    event ExecutionReturned(bytes32 indexed execution, bytes32 indexed returned, uint32 from, uint32 count);
    /// A returned execution was given back to the client.
    event ReturnedClosed(bytes32 indexed execution);
    /// The execution ended with its node paid `pay`. `silent` if the client missed its deadline.
    event ExecutionSettled(bytes32 indexed execution, uint96 pay, bool silent);
    /// All three seats differed: the escrow went back to the client.
    event ExecutionRefunded(bytes32 indexed execution);
    /// A verifier's pay, seats 2 and 3. Seat 1's is in `ExecutionSettled`.
    event SeatPaid(bytes32 indexed execution, uint8 indexed seat, address indexed node, uint96 pay);
    /// A wrong result cost a node its fine.
    event Slashed(bytes32 indexed execution, uint8 indexed seat, address indexed node, uint96 amount);
    /// A missed deadline cost a node the no-show fee.
    event NoShowBurned(bytes32 indexed execution, uint8 indexed seat, address indexed node, uint96 amount);
    /// Silence or skipped checks cost the client (part of) its bond.
    event BondBurned(bytes32 indexed execution, address indexed client, uint96 amount);

    /// Assigned -> Committed, by the node, until the deadline.
    function commitResult(Execution calldata execution, bytes32 root, uint64 fuel, bytes calldata leaves) external;
    /// Assigned, too late -> Returned: burns the no-show fee, gives the rest of the fine and the bond back.
    function timeoutAssigned(Terms calldata terms, Execution calldata execution) external;
    /// Committed -> Settled, by the client. Counts the dice; hits that were not verified cost the bond in proportion.
    function settle(Terms calldata terms, Execution calldata execution, bytes32 seed) external;
    /// Committed, too late -> Settled: the node is paid in full, the bond is burned.
    function timeoutCommitted(Terms calldata terms, Execution calldata execution) external;

    // ------------------------------------------------------------------ verification

    event VerificationRequested(bytes32 indexed execution, Verification verification);
    event VerificationEscalated(bytes32 indexed execution, Verification verification);
    /// Every change of a seat: drawn, committed, to be redrawn, vacant.
    event SeatChanged(bytes32 indexed execution, uint8 indexed number, address indexed node, Seat seat);
    /// What a verifier published: abi.encode(Leaf) for one leaf, else the CID of the leaves.
    event SeatCommitted(bytes32 indexed execution, uint8 indexed number, bytes leaves);
    /// A piece was opened. `digests` are what the seats had committed to, zero for an unreadable ciphertext; the
    /// verdict takes effect after `deadline`. If all agree, the same call settles the execution and `deadline` is 0.
    event KeyRevealed(
        bytes32 indexed execution,
        uint32 piece,
        uint256 sk,
        bytes32[3] digests,
        Verification verification,
        uint64 deadline
    );

    /// Committed -> Drawing, by the client: the one mutation. Raises the bid of the listed pieces and their
    /// concurrency to terms.seats, and locks bid × listed × (seats - 1).
    function verify(Terms calldata terms, Execution calldata execution, uint96 bid, uint256[] calldata listed) external;
    /// Draws a node for a seat, by anyone, once the target block is known. `other` is the panel's other seat (2 for 3 and
    /// 3 for 2), for their nodes must differ; while a lazy panel has one seat only, a record of zeros. A node may be drawn
    /// if it is registered, holds minStake, has the fine free, and is neither the client nor on the panel. Locks the
    /// drawn node's fine. Fails with `NobodyEligible` if the draw finds no node; it may be tried again until the seat's
    /// deadline.
    function draw(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat calldata seat,
        Seat calldata other
    ) external;
    /// The drawn node's commitment over the listed pieces (in order) or the escalated one.
    function commitVerification(Seat calldata seat, bytes32 root, uint64 fuel, bytes calldata leaves) external;
    /// Drawing, too late -> seat Vacant.
    function timeoutDrawing(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat calldata seat
    ) external;
    /// Running, too late: burns the no-show fee; the seat is drawn again, or Vacant after R redraws.
    function timeoutSeat(Terms calldata terms, Execution calldata execution, Seat calldata seat) external;
    /// Resolving -> Drawing, by the client, lazy panels once: a third seat for one listed piece.
    /// Fails with `AlreadyEscalated` if the panel has a third seat.
    function escalate(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat calldata second,
        uint32 piece
    ) external;
    /// Resolving -> Settled, by the client, which pays every committed seat. Counts the dice against the list.
    function settleVerified(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        bytes32 seed
    ) external;
    /// Resolving -> Verdict (or Settled if all agree), by the client, with all three seats committed: opens one piece
    /// of every seat and compares. Settles the bond.
    function revealKey(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Reveal calldata reveal
    ) external;
    /// Resolving, too late -> Settled: every committed seat is paid, the bond is burned.
    function timeoutResolving(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external;
    /// Verdict, appeal window over -> Settled, Returned or Refunded: the two that agree are paid, the third loses
    /// its fine; if seat 1 lost, its pieces but the revealed one return to the job.
    function timeoutVerdict(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external;

    // ------------------------------------------------------------------ errors

    error NotClient(address caller, address client);
    error NotNode(address caller, address node);
    /// The record is not the one the contract holds under this id.
    error StaleRecord(bytes32 id, bytes32 want, bytes32 have);
    error UnknownJob(bytes32 job);
    error WrongJob(bytes32 have, bytes32 want);
    error WrongStatus(bytes32 id, Status have, Status want);
    error WrongSeatStatus(bytes32 execution, uint8 number, SeatStatus have, SeatStatus want);
    error WrongSeat(uint8 have, uint8 want);
    error BadTerms(string field);
    error BadParameters(string field);
    error TooLate(uint64 deadline, uint64 time);
    error TooEarly(uint64 deadline, uint64 time);
    /// δ blocks must follow the commitment.
    error Unconfirmed(uint64 committedBlock, uint64 wantBlock, uint64 haveBlock);
    error NonceSpent(address wallet, uint32 nonce);
    error BadSignature(address signer, address node);
    error InsufficientFree(address wallet, uint256 have, uint256 want);
    error InsufficientStake(address wallet, uint256 have, uint256 want);
    error TooMuchMoney(uint256 have, uint256 most);
    error AlreadyRegistered(address node);
    error NotRegistered(address node);
    error ClientMayNotServe(address client);
    error BadCount(uint32 have, uint32 most);
    error BondTooSmall(uint96 have, uint256 want);
    error WrongSeed(bytes32 have, bytes32 want);
    error BidLowered(uint96 have, uint96 least);
    error BadList();
    error NotListed(uint32 piece);
    error AlreadyEscalated(uint32 piece);
    error PanelNotFull(uint8 number);
    error PanelRunning(uint8 number);
    error NobodyEligible(uint64 target);
    error TargetUnknown(uint64 target, uint64 block);
    /// A commitment of one piece must carry its leaf: `leaves` hashes to `have`, the root is `want`; if the two are
    /// equal then the leaf's own index or fuel is wrong, or it is no abi.encode(Leaf).
    error LeafMismatch(bytes32 have, bytes32 want);
    error LeavesTooLong(uint256 have, uint256 most);
    /// The opened leaf is not where it must be in the seat's tree.
    error BadProof(uint8 seat);
    /// No leaf of specRoot has this piece, spec digest and key (`have` is the address of sk·G, 0 if sk is no key).
    error WrongKey(address have, bytes32 specRoot);
    /// S is not sk·R.
    error WrongPoint(uint8 seat);
    error TransferFailed(address wallet, uint96 amount);
}
