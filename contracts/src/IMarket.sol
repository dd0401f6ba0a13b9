// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Offer, Terms} from "./types/Job.sol";
import {Challenge, Execution, Outcome, Status, Verification} from "./types/Execution.sol";
import {Jury, Vote, VoteStatus} from "./types/Jury.sol";
import {Disclosure, Leaf, Opening, Reveal, Seat, SeatStatus, Sum} from "./types/Seat.sol";
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
///
/// How the records follow from the events; a record has every field of its struct, and what is not named stays.
/// - Execution: `ExecutionAssigned` makes it, Assigned, with root, fuel, committedBlock and verification 0.
///   `ResultCommitted`: Committed, with what the event tells. `VerificationRequested`: Verifying, deadline 0.
///   `LeafChallenged`: Challenged, until `deadline`. `LeafAnswered`: the challenge's `back`, until `deadline`.
///   `ChallengeFailed` for seat 2 or 3: Verifying, deadline 0. `VerdictReached`: Verdict, until `deadline`.
///   `VerdictAppealed`: Appealed, deadline 0. `verification` is always the hash of the newest Verification told.
///   It is gone with `ExecutionSettled`, `ExecutionRefunded` and `ReturnedClosed`, and with `ExecutionReturned`, which makes
///   a new one. An `ExecutionAssigned` whose parent is a returned execution takes `count` pieces from its front; without
///   pieces left it is gone.
/// - Verification: `VerificationRequested` makes it, with what the event tells, as `hits` the number of listed pieces, and
///   the rest 0. `VerificationEscalated` and `VerdictReached` give it whole.
/// - Seat: while no event has told of a number, its slot is empty and the record is: Drawing, 0 redraws, no node, the
///   verification's hits, target and deadline (for the third seat of a lazy panel 1 piece, thirdTarget and thirdDeadline),
///   the rest 0. `SeatDrawn`: Running, with what the event tells. `SeatCommitted`: Committed, with root and fuel, deadline
///   0, doneAt the time of the event's block. `SeatChanged` gives it whole. Seats are gone with their execution.
///   Calls take as `seats` the panel's seats that an event has told of, in order.
/// - Challenge and Jury: as their events give them, until `LeafAnswered` or `ChallengeFailed`, or `AppealDecided`.
///
/// While a panel is Resolving the client has until its *resolving deadline*: settleWindow after its last seat was done
/// (doneAt), or the execution's deadline if that is later. From then it is Silent, for silentWindow.
///
/// Every call that takes records may fail with `StaleRecord`, `WrongJob` (an execution of other terms), `WrongStatus`,
/// `WrongSeat` (a seat is missing, one too many, or not in order), `WrongSeatStatus`, with `PanelRunning` if it needs
/// all seats done and one is not, with `TooLate` and `TooEarly`, and, if it is a certain party's, with `NotClient` or
/// `NotNode`. What else it may fail with is said beside it. A number wider than its type reverts without data.
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
    /// The node stays registered, but gets no new work and is not drawn.
    event NodePaused(address indexed node);
    /// The node may be given work and may be drawn again.
    event NodeResumed(address indexed node);
    /// Where the wallet's node serves data (trustless HTTP gateway). Public, unchecked, last one counts.
    event EndpointAnnounced(address indexed wallet, string url);

    /// Adds msg.value to the caller's free balance. Fails with `TooMuchMoney` if the contract would hold more than
    /// 2^96 - 1 wei, so that no later credit can overflow. For draws, a node with less than minStake free is as if it had
    /// registered now, so that nobody steers a draw by topping up.
    function deposit() external payable;
    /// Pays `amount` of the caller's free balance out to it. A wallet that rejects money only hurts itself. A registered
    /// node must keep minStake, free or locked, until it exits: otherwise one stake that moves from wallet to wallet could
    /// fill the registry. Fails with `InsufficientFree`, `InsufficientStake` or `TransferFailed`.
    function withdraw(uint96 amount) external;
    /// Enters the caller in the registry. Needs free + locked >= minStake. Draws whose target block is not younger than
    /// this call pass the node over, so that nobody steers a draw by registering. Fails with `AlreadyRegistered` or
    /// `InsufficientStake`.
    function register() external;
    /// The caller gets no new work; what it has goes on. Fails with `NotRegistered`, or if it has paused.
    function pause() external;
    /// Ends a pause. For draws it is as if the node had registered now. Fails with `NotPaused`.
    function resume() external;
    /// Takes the caller out of the registry. Fails with `NotRegistered`.
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
    /// The nonce is spent, so that no offer (and no job) with it can be used.
    event NonceCancelled(address indexed wallet, uint32 nonce);
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
    /// Creates a job and accepts an offer for its first `count` pieces, as `createJob` and `acceptOffer` would: for a
    /// node that got the terms from the client directly and signed for the job's id.
    function createJobWithOffer(
        Terms calldata terms,
        Offer calldata offer,
        bytes calldata signature,
        uint32 count,
        bytes32 seedHash
    ) external;
    /// Spends a nonce of the caller, which voids whatever it signed with it. Fails with `NonceSpent`.
    function cancelNonce(uint32 nonce) external;
    /// Gives the never assigned pieces back: by the client at any time, by anyone after terms.expiry. Fails with
    /// `UnknownJob` if there are none.
    function closeJob(Terms calldata terms) external;
    /// The same for a returned execution.
    function closeReturned(Terms calldata terms, Execution calldata execution) external;
    /// Emits `OfferPosted`.
    function postOffer(Offer calldata offer, bytes calldata signature) external;
    /// The client assigns the next `count` pieces to the node of a signed offer. Locks the node's fine and the
    /// client's bond, which must be at least 2 × bid × p × count. The node must be registered, hold minStake and have
    /// the fine free. Fails with `UnknownJob` if no piece is left, `WrongJob` if the offer is for another one,
    /// `ClientMayNotServe`, `TooLate` after the job's expiry or the offer's deadline, `BadCount`, `BondTooSmall`,
    /// `BadSignature`, `NonceSpent`, `NotRegistered`, `InsufficientStake`, `InsufficientFree`.
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
    /// All three seats differed and none appealed, or the jury had no majority: the escrow went back to the client.
    event ExecutionRefunded(bytes32 indexed execution);
    /// The pay of a verifier, seats 2 and 3, or of a juror, numbers from 4 on. Seat 1's is in `ExecutionSettled`.
    event SeatPaid(bytes32 indexed execution, uint8 indexed seat, address indexed node, uint96 pay);
    /// A wrong result, or leaves that it did not show, cost a node its fine.
    event Slashed(bytes32 indexed execution, uint8 indexed seat, address indexed node, uint96 amount);
    /// A missed deadline cost a node the no-show fee.
    event NoShowBurned(bytes32 indexed execution, uint8 indexed seat, address indexed node, uint96 amount);
    /// Silence or skipped checks cost the client (part of) its bond.
    event BondBurned(bytes32 indexed execution, address indexed client, uint96 amount);

    /// The node gave its pieces back in time.
    event ExecutionDeclined(bytes32 indexed execution, address indexed node);

    /// Assigned -> Returned, by the node, before half its time is over: its inputs cannot be had, or the limits are too
    /// small. Costs nothing; fails with `TooManyDeclines` if the node did so too often today.
    function decline(Terms calldata terms, Execution calldata execution) external;
    /// Assigned -> Committed, by the node, until the deadline. Fails with `LeafMismatch` or `LeavesTooLong`.
    function commitResult(Execution calldata execution, bytes32 root, uint64 fuel, bytes calldata leaves) external;
    /// Assigned, too late -> Returned: burns the no-show fee, gives the rest of the fine and the bond back.
    function timeoutAssigned(Terms calldata terms, Execution calldata execution) external;
    /// Committed -> Settled, by the client. Counts the dice; hits that were not verified cost the bond in proportion.
    /// Fails with `Unconfirmed` or `WrongSeed`.
    function settle(Terms calldata terms, Execution calldata execution, bytes32 seed) external;
    /// Committed, too late -> Settled: the node is paid in full, the bond is burned.
    function timeoutCommitted(Terms calldata terms, Execution calldata execution) external;

    // ------------------------------------------------------------------ verification

    /// The panel is to run the pieces of `listed`; the rest of the Verification follows from it or is 0.
    event VerificationRequested(
        bytes32 indexed execution, uint96 bid, uint256[] listed, uint64 target, uint64 deadline
    );
    event VerificationEscalated(bytes32 indexed execution, Verification verification);
    /// The node sits on the seat and owes its commitment until `deadline`.
    event SeatDrawn(bytes32 indexed execution, uint8 indexed number, address indexed node, uint64 deadline);
    /// The verifier's result, as in `ResultCommitted`: `leaves` is abi.encode(Leaf) for one leaf, else the CID of the leaves.
    event SeatCommitted(bytes32 indexed execution, uint8 indexed number, bytes32 root, uint64 fuel, bytes leaves);
    /// The seat is to be drawn again, or vacant.
    event SeatChanged(bytes32 indexed execution, uint8 indexed number, Seat seat);
    /// The drawn node gave its seat back in time.
    event SeatDeclined(bytes32 indexed execution, uint8 indexed number, address indexed node);
    /// The client opened a piece. `digests` are what the seats had committed to, zero for an unreadable ciphertext. If
    /// all agree, the same call settles the execution, otherwise it emits `VerdictReached`.
    event KeyRevealed(bytes32 indexed execution, uint32 piece, uint256 sk, bytes32[3] digests);
    /// An opened piece showed that not all seats agree; the verdict takes effect after `deadline` unless a seat appeals.
    /// A seat's result is keccak256(abi.encode(digest, fuel)), or a value equal to no other if it is unreadable.
    event VerdictReached(bytes32 indexed execution, bytes32[3] results, Verification verification, uint64 deadline);

    /// Committed -> Drawing, by the client: the one mutation. Raises the bid of the listed pieces and their
    /// concurrency to terms.seats, and locks bid × listed × (seats - 1). `listed` has one word for every 256 pieces and
    /// names at least one. Fails with `Unconfirmed`, `BidLowered`, `BadList`, `InsufficientFree`.
    function verify(Terms calldata terms, Execution calldata execution, uint96 bid, uint256[] calldata listed) external;
    /// Draws a node for seat `number`, by anyone, once the target block is known. A node may be drawn if it is registered,
    /// holds minStake, has the fine free, and is neither the client nor the node of a seat of the panel: one that sits
    /// there, or one that has just missed its deadline there, declined, or withheld a leaf. Locks the drawn node's fine. Fails with `TargetUnknown` before the target is known, and with `NobodyEligible` if the draw
    /// finds no node; it may be tried again until the seat's deadline.
    function draw(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 number
    ) external;
    /// The drawn node's commitment over the listed pieces (in order) or the escalated one. Fails with `LeafMismatch` or
    /// `LeavesTooLong`.
    function commitVerification(Seat calldata seat, bytes32 root, uint64 fuel, bytes calldata leaves) external;
    /// The drawn node gives its seat back before half its time is over; the seat is drawn again as after a no-show, but
    /// nothing is burned. Fails with `TooManyDeclines`.
    function declineSeat(Terms calldata terms, Execution calldata execution, Seat calldata seat) external;
    /// Drawing, too late -> seat Vacant.
    function timeoutDrawing(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 number
    ) external;
    /// Running, too late: burns the no-show fee; the seat is drawn again, or Vacant after R redraws.
    function timeoutSeat(Terms calldata terms, Execution calldata execution, Seat calldata seat) external;
    /// Resolving -> Drawing, by the client, lazy panels once: a third seat for one listed piece.
    /// Fails with `AlreadyEscalated` if the panel has a third seat, `NotListed`, `InsufficientFree`.
    function escalate(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint32 piece
    ) external;
    /// Resolving -> Settled, by the client, which pays every committed seat. Counts the dice against the list. Fails with
    /// `WrongSeed`.
    function settleVerified(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        bytes32 seed
    ) external;
    /// Resolving -> Verdict (or Settled if all agree), by the client, with all three seats committed: opens one piece
    /// of every seat and compares. Settles the bond. Fails with `PanelNotFull`, `NotListed`, `WrongSeed`, `WrongKey`,
    /// `BadProof`, `WrongPoint`.
    function revealKey(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Reveal calldata reveal
    ) external;
    /// Verdict, appeal window over -> Settled, Returned or Refunded: the two that agree are paid, the third loses
    /// its fine; if seat 1 lost, its pieces but the revealed one return to the job.
    function timeoutVerdict(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external;

    // ------------------------------------------------------------------ withheld leaves

    /// The client demands the leaf of one piece from a seat that committed to more than one.
    event LeafChallenged(bytes32 indexed execution, uint8 indexed seat, Challenge challenge, uint64 deadline);
    /// The leaf, proven against the seat's commitment. The execution goes on with status `back` and `deadline`.
    event LeafAnswered(
        bytes32 indexed execution, uint8 indexed seat, uint32 piece, Leaf leaf, Sum[] proof, uint64 deadline
    );
    /// The seat did not answer. Seat 1's execution ends with `ExecutionReturned`. For another seat it goes on in Verifying
    /// with deadline 0, and `SeatChanged` tells whether the seat is drawn again or Vacant.
    event ChallengeFailed(bytes32 indexed execution, uint8 indexed seat, address indexed node);

    /// Committed or Resolving -> Challenged, by the client, which locks challengePrice: `seat` must show its leaf of
    /// `piece` within settleWindow. The client's own clock stops meanwhile. In Committed the seat is 1, the piece any of
    /// the execution's, the verification is ignored and seats are empty; in Resolving the seat is 1 or a committed
    /// verifier, the piece a listed one. Fails with `Unconfirmed`, `NotListed`, `NothingToChallenge`, `InsufficientFree`.
    function challengeLeaf(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 seat,
        uint32 piece
    ) external;
    /// Challenged -> Committed or Resolving, by anyone who has the leaf (sx, sy of the opening are ignored); the price
    /// goes to the seat's node, and the client has the time again that it had left. What the leaf says is not judged here.
    /// Fails with `BadProof`. Verification and seats are as in `challengeLeaf`.
    function answerLeaf(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Challenge calldata challenge,
        Opening calldata opening
    ) external;
    /// Challenged, too late: the seat is treated as a cheat and its fine burned; the client gets the price back. Seat 1:
    /// -> Returned, with the verifiers that have committed paid and the bond released. Another seat: it is drawn again as
    /// after a no-show.
    function timeoutChallenged(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Challenge calldata challenge
    ) external;

    // ------------------------------------------------------------------ a silent client

    /// A seat opened its own commitment: the digest that it committed to, and its fuel.
    event SelfOpened(
        bytes32 indexed execution, uint8 indexed seat, address indexed node, uint32 piece, bytes32 digest, uint64 fuel
    );

    /// In Silent: opens a seat's commitment with the node's own scalar, by anyone who has it. The first one names the
    /// piece, a listed one (the escalated one, if there is a third seat of a lazy panel); all others open the same. Fails
    /// with `AlreadyOpened`, `NotListed`, `WrongPiece`, `WrongKey`, `BadProof`, `WrongScalar`, `WrongPoint`.
    function openSelf(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 seat,
        Disclosure calldata disclosure
    ) external;
    /// Silent, too late: burns the bond. If all three seats have committed and opened: as after `revealKey`, Verdict, or
    /// Settled if all agree. If two of three opened and agree, these two are paid, and the third gets nothing but its
    /// fine back (if it is seat 1, its pieces but the opened one return to the job). Otherwise -> Settled: every
    /// committed seat is paid.
    function timeoutSilent(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external;

    // ------------------------------------------------------------------ appeals

    /// The execution has status Appealed and deadline 0 now. `jury` is the record to draw the jury with.
    event VerdictAppealed(bytes32 indexed execution, uint8 indexed seat, Jury jury);
    /// `jury` is the jury's record from now on. Until jury.deadline its jurors run the opened piece and seal their votes.
    event JuryDrawn(bytes32 indexed execution, Jury jury);
    /// The juror has its fine back. Nobody takes its place, and a majority is still one of jurySize.
    event VoteDeclined(bytes32 indexed execution, uint8 indexed number, address indexed node);
    event VoteCommitted(bytes32 indexed execution, uint8 indexed number, address indexed node, bytes32 commitment);
    event VoteRevealed(bytes32 indexed execution, uint8 indexed number, address indexed node, Vote vote);
    /// What the jury's majority found (`result` is keccak256(abi.encode(digest, fuel)), 0 if it has no majority) and
    /// which seats it proved right: bit k for seat k. The execution is over; what becomes of it follows in other events:
    /// `ExecutionSettled`, `ExecutionReturned` or `ExecutionRefunded`, and where each one's money went.
    event AppealDecided(bytes32 indexed execution, bytes32 result, uint8 right);
    /// The appeal bond of a seat that was wrong, less the jurors' pay.
    event AppealBondBurned(bytes32 indexed execution, address indexed node, uint96 amount);

    /// Verdict -> Appealed, by the node of the seat that lost (any seat if all three differ), which locks the appeal bond:
    /// terms.fine once more. There is one appeal, by whoever is first. Fails with `WrongSeat`, `NotNode`,
    /// `NothingToAppeal`, `TooLate`, `InsufficientFree`.
    function appeal(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 seat
    ) external;
    /// Draws the jury, by anyone, once the target block is known: jurySize nodes, eligible as for a seat, none of them on
    /// the panel. Locks the fine of each. Fails with `NobodyEligible` if there are too few; it may be tried again until
    /// jury.deadline. Fails with `AlreadyDrawn`, `TooLate`, `TargetUnknown`.
    function drawJury(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Jury calldata jury
    ) external;
    /// A juror's sealed vote, once, until jury.deadline: keccak256(abi.encode(chainid, contract, execution, juror, vote,
    /// nonce)). Juror k has number 4 + k. Fails with `WrongSeat` if there is no such juror, `NotNode` if the caller is
    /// another one, `WrongVoteStatus`, `TooLate`.
    function commitVote(Jury calldata jury, uint8 number, bytes32 commitment) external;
    /// A juror gives its duty back before half its time is over, unless it has committed. Fails with `TooManyDeclines`,
    /// and as `commitVote` does.
    function declineVote(Terms calldata terms, Execution calldata execution, Jury calldata jury, uint8 number) external;
    /// Opens a committed vote, by anyone who knows it, after the jury's deadline and until its revealDeadline. Fails with
    /// `WrongVote` if it is another one, `WrongSeat`, `WrongVoteStatus`, `TooEarly`, `TooLate`.
    function revealVote(Jury calldata jury, uint8 number, Vote calldata vote, bytes32 nonce) external;
    /// Appealed, too late, by anyone: closes the case by the jury's majority, more than half of jurySize equal votes.
    ///
    /// A seat is right iff its result is the jury's. Seats that are right are paid, the others lose their fine; if seat 1
    /// is wrong its pieces return to the job, all but the opened one if another seat is right. Jurors of the majority are
    /// paid by the appellant's bond if it was wrong, the rest of which is burned; if it was right it gets its bond back and
    /// they are paid by what the client had set aside for the wrong seats' runs of the piece. Each gets 1 / jurySize of
    /// either, rounded down, but at most verification.bid. Jurors that voted otherwise lose their fine, those that did not
    /// vote the no-show fee.
    ///
    /// Without a majority, or if no jury was drawn in time -> Refunded: nobody is slashed, the execution's price goes
    /// back to the client and every fine and the appeal bond to their owners.
    ///
    /// `results` are those of `VerdictReached`, `votes` one for each juror: as it was revealed, or anything for a juror that
    /// did not reveal. Fails with `StaleRecord`, `BadCount` or `WrongVote` if they are not.
    function timeoutAppealed(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Jury calldata jury,
        bytes32[3] calldata results,
        Vote[] calldata votes
    ) external;

    /// The hash of the challenge or the jury of an execution, or zero.
    function disputeHash(bytes32 execution) external view returns (bytes32);
    /// The code that does this contract's work besides its own: it runs on its storage and cannot be exchanged.
    function parts() external view returns (address accounts, address verifications, address disputes, address appeals);

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
    /// The piece is not among those that the call may speak of: the listed ones, the escalated one, or, for a challenge
    /// before `verify`, the execution's.
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
    /// No leaf of specRoot has this piece, spec digest and public key (`have` is its address, 0 if sk is no key).
    error WrongKey(address have, bytes32 specRoot);
    /// S is not sk·R, or not r·PK.
    error WrongPoint(uint8 seat);
    /// `most` is the parameter declinesPerDay.
    error TooManyDeclines(address node, uint16 most);
    error NotPaused(address node);
    error Paused(address node);
    /// The leaf of a commitment to a single piece was published with it.
    error NothingToChallenge(uint8 seat);
    error AlreadyOpened(uint8 seat);
    /// The piece to open is `want`, which the first seat to open has named.
    error WrongPiece(uint32 have, uint32 want);
    /// r·G is not the R of the leaf, or the leaf names another piece: such a leaf cannot be opened.
    error WrongScalar(uint8 seat);
    /// The appeal has its jury.
    error AlreadyDrawn(bytes32 execution);
    /// The seat has nothing to appeal against.
    error NothingToAppeal(uint8 seat);
    error WrongVoteStatus(bytes32 execution, uint8 number, VoteStatus have, VoteStatus want);
    /// Not the vote that the juror sealed, or revealed: `have` and `want` are hashes whose lowest two bits are a `VoteStatus`.
    error WrongVote(uint8 number, bytes32 have, bytes32 want);
    error TransferFailed(address wallet, uint96 amount);
}
