// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./fixture/Check.sol";
import {Game} from "./fixture/Game.sol";
import {Terms} from "../src/types/Job.sol";
import {Leaf, Reveal} from "../src/types/Seat.sol";

/// @title What the EVM and FEVM take: code, opcodes, calls, events, calldata and storage.
contract LimitsTest is Game {
    uint256 private constant MOST_CODE = 24_576;
    uint256 private constant MOST_EVENT = 8_192;
    uint256 private constant MOST_CALLDATA = 60_000;

    uint8 private constant PUSH1 = 0x60;
    uint8 private constant PUSH32 = 0x7f;
    uint8 private constant GAS = 0x5a;

    /// All code that a market runs.
    function _codes() private view returns (bytes[5] memory codes) {
        (address accounts, address verifications, address disputes, address appeals) = market.parts();
        return [address(market).code, accounts.code, verifications.code, disputes.code, appeals.code];
    }

    function test_code() public view {
        bytes[5] memory codes = _codes();
        for (uint256 i; i < codes.length; ++i) {
            _true(codes[i].length <= MOST_CODE, "code size");
        }
    }

    // ------------------------------------------------------------------ opcodes

    /// What FEVM lacks or answers otherwise: PREVRANDAO, BLOBHASH, BLOBBASEFEE, CALLCODE, SELFDESTRUCT.
    function _forbidden(uint8 opcode) private pure returns (bool) {
        return opcode == 0x44 || opcode == 0x49 || opcode == 0x4a || opcode == 0xf2 || opcode == 0xff;
    }

    /// CALL, DELEGATECALL and STATICCALL. Nothing calls with CALLCODE.
    function _calls(uint8 opcode) private pure returns (bool) {
        return opcode == 0xf1 || opcode == 0xf4 || opcode == 0xfa;
    }

    /// Number of calls in the code. None may fix its gas, for FEVM's prices are not the EVM's: the opcode before each is
    /// GAS, all that is left.
    function _scan(bytes memory code) private pure returns (uint256 calls) {
        uint8 last;
        for (uint256 i; i < code.length; ++i) {
            uint8 opcode = uint8(code[i]);
            _true(!_forbidden(opcode), "opcode that FEVM does not take");
            if (_calls(opcode)) {
                _true(last == GAS, "call with fixed gas");
                ++calls;
            }
            if (opcode >= PUSH1 && opcode <= PUSH32) i += opcode - PUSH1 + 1;
            last = opcode;
        }
    }

    function test_opcodes() public view {
        bytes[5] memory codes = _codes();
        for (uint256 i; i < codes.length; ++i) {
            _true(_scan(codes[i]) != 0, "the scan found the calls there are");
        }
    }

    function scan(bytes memory code) external pure returns (uint256) {
        return _scan(code);
    }

    /// The scan itself: it sees an opcode, skips data that look like one, and wants GAS before a call.
    function test_scan() public {
        _eq(this.scan(hex"61ff445af1"), 1, "data of a push are none");
        bytes memory opcode = abi.encodeWithSelector(NotTrue.selector, "opcode that FEVM does not take");
        bytes[5] memory codes = [bytes(hex"600044"), hex"49", hex"4a", hex"5af2", hex"60ffff"];
        for (uint256 i; i < codes.length; ++i) {
            _fails(opcode);
            this.scan(codes[i]);
        }
        _fails(abi.encodeWithSelector(NotTrue.selector, "call with fixed gas"));
        this.scan(hex"5a6001fa");
    }

    // ------------------------------------------------------------------ sizes

    function _requireSmallEvents() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        _true(logs.length != 0, "events");
        for (uint256 i; i < logs.length; ++i) {
            _true(logs[i].topics.length * 32 + logs[i].data.length <= MOST_EVENT, "event size");
        }
        vm.recordLogs();
    }

    /// As many leaves as an execution may have; only the first one is ever opened.
    function _most(Run memory r, address node, bool lie) private returns (Leaf[] memory leaves) {
        leaves = new Leaf[](r.execution.count);
        for (uint32 i; i < leaves.length; ++i) {
            leaves[i].fuel = _fuel(i);
        }
        leaves[0] = _leaf(r.execution.id, node, 0, _truth(0));
        if (lie) _lie(leaves, 0);
    }

    /// An execution of as many pieces as there may be, all of them checked by an eager panel that does not agree.
    function test_largestRecords() public {
        uint32 pieces = _parameters().maxPieces;
        Terms memory terms = _terms(pieces, 3, ALWAYS);
        terms.bond = 2 * terms.bid * pieces;
        vm.recordLogs();
        _create(terms);
        Run memory r = _accept(terms, 0, pieces);
        _commitLeaves(r, _most(r, r.execution.node, true));
        uint256[] memory listed = new uint256[](4);
        (listed[0], listed[1], listed[2]) = (type(uint256).max, type(uint256).max, type(uint256).max);
        listed[3] = (1 << (pieces - 768)) - 1;
        _verify(r, 1250, listed);
        _requireSmallEvents();
        for (uint8 number = 2; number <= 3; ++number) {
            _draw(r, number);
            _commitSeatLeaves(r, number, _most(r, r.seats[number - 2].node, false));
        }
        Reveal memory reveal = _reveal(r, 0);
        bytes memory data = abi.encodeCall(market.revealKey, (r.terms, r.execution, r.verification, _panel(r), reveal));
        _true(data.length < MOST_CALLDATA, "calldata size");
        vm.recordLogs();
        _revealCall(r, reveal);
        _requireSmallEvents();
    }

    // ------------------------------------------------------------------ storage

    /// Slots of the market that the last call has written, every one of them once or more.
    function _written() private returns (uint256 slots) {
        (, bytes32[] memory written) = vm.accesses(address(market));
        for (uint256 i; i < written.length; ++i) {
            bool before;
            for (uint256 k; k < i; ++k) {
                before = before || written[k] == written[i];
            }
            if (!before) ++slots;
        }
        vm.record();
    }

    /// A job with its purses is one slot, an execution one, a seat one; when it is over only the purses are left.
    function test_fewSlots() public {
        Terms memory terms = _terms(3, 2, ALWAYS);
        vm.record();
        _create(terms);
        _eq(_written(), 2, "createJob: purse, frontier");
        Run memory r = _accept(terms, 0, 3);
        _eq(_written(), 4, "acceptOffer: two purses, frontier, execution");
        _commit(r);
        _eq(_written(), 1, "commitResult: execution");
        _verify(r, 1250, _list(7));
        _eq(_written(), 2, "verify: purse, execution");
        _draw(r, 2);
        _eq(_written(), 2, "draw: purse, seat");
        _commitSeat(r, 2);
        _eq(_written(), 1, "commitVerification: seat");
        _settleVerified(r);
        _eq(_written(), 5, "settleVerified: three purses, execution, seat");
        _over(r);
        _direct(_terms(3, 2, NEVER), 1, 3);
        _eq(_written(), 3, "createJobWithOffer: two purses, execution");
    }

    /// Where the two contracts keep their books must be the same: the first slots, without gaps.
    function test_booksAreAtTheStart() public view {
        for (uint256 slot = 16; slot < 64; ++slot) {
            _eq(vm.load(address(market), bytes32(slot)), 0, "slot beyond the book");
        }
        _true(vm.load(address(market), bytes32(uint256(_registrySlot()))) != 0, "the registry's head");
    }

    /// The one slot of the book that is in use without being in a mapping, while nothing is burned.
    function _registrySlot() private view returns (uint256 found) {
        uint256 used;
        for (uint256 slot; slot < 16; ++slot) {
            if (vm.load(address(market), bytes32(slot)) == 0) continue;
            found = slot;
            ++used;
        }
        _eq(used, 1, "used slots");
    }
}
