// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {Rejecting} from "./fixture/Rejecting.sol";
import {Accounts} from "../src/Accounts.sol";
import {Appeals} from "../src/Appeals.sol";
import {Disputes} from "../src/Disputes.sol";
import {IMarket} from "../src/IMarket.sol";
import {Market} from "../src/Market.sol";
import {Part} from "../src/Part.sol";
import {Verifications} from "../src/Verifications.sol";
import {Parameters} from "../src/types/Parameters.sol";

contract WalletsTest is Game {
    address private constant STRANGER = address(0x57A);

    function test_deposit() public {
        vm.deal(STRANGER, 70);
        vm.expectEmit(address(market));
        emit IMarket.Deposited(STRANGER, 70);
        vm.prank(STRANGER);
        market.deposit{value: 70}();
        _eq(_wallet(STRANGER).free, 70, "free");
        _eq(_wallet(STRANGER).locked, 0, "locked");
    }

    function test_depositTooMuch() public {
        uint256 most = type(uint96).max;
        uint256 have = address(market).balance;
        vm.deal(STRANGER, most);
        _fails(abi.encodeWithSelector(IMarket.TooMuchMoney.selector, most + 1, most));
        vm.prank(STRANGER);
        market.deposit{value: most + 1 - have}();
        vm.prank(STRANGER);
        market.deposit{value: most - have}();
        _eq(_wallet(STRANGER).free, most - have, "up to the limit");
    }

    function test_withdraw() public {
        vm.expectEmit(address(market));
        emit IMarket.Withdrawn(client, 40);
        vm.prank(client);
        market.withdraw(40);
        _eq(client.balance, 40, "outside");
        _eq(_wallet(client).free, PURSE - 40, "inside");
        _conserved();
    }

    function test_withdrawOnlyFree() public {
        Run memory r = _atAssigned(1, 2, NEVER);
        _fails(
            abi.encodeWithSelector(IMarket.InsufficientFree.selector, r.execution.node, PURSE - 7000, PURSE - 7000 + 1)
        );
        vm.prank(r.execution.node);
        market.withdraw(uint96(PURSE - 7000 + 1));
    }

    /// What a registered node has locked counts as its stake.
    function test_withdrawKeepsTheStake() public {
        Run memory r = _atAssigned(1, 2, NEVER);
        address node = r.execution.node;
        _fails(abi.encodeWithSelector(IMarket.InsufficientStake.selector, node, 9_999, 10_000));
        vm.prank(node);
        market.withdraw(uint96(PURSE - 9_999));
        vm.prank(node);
        market.withdraw(uint96(PURSE - 10_000));
        _eq(_wallet(node).free, 3000, "free");
    }

    function test_withdrawRejected() public {
        Rejecting wallet = new Rejecting(market);
        wallet.deposit{value: 10}();
        _fails(abi.encodeWithSelector(IMarket.TransferFailed.selector, address(wallet), 10));
        wallet.withdraw(10, Rejecting.Mood.Refuse);
        _eq(_wallet(address(wallet)).free, 10, "nothing lost");
    }

    function test_withdrawTwice() public {
        Rejecting wallet = new Rejecting(market);
        wallet.deposit{value: 10}();
        // The second payment is refused, which makes the first one fail as well.
        _fails(abi.encodeWithSelector(IMarket.TransferFailed.selector, address(wallet), 10));
        wallet.withdraw(10, Rejecting.Mood.Again);
        wallet.deposit{value: 10}();
        wallet.withdraw(10, Rejecting.Mood.Again);
        _eq(address(wallet).balance, 20, "both payments, each of its own money");
        _eq(_wallet(address(wallet)).free, 0, "nothing left");
        _conserved();
    }

    function test_announce() public {
        vm.expectEmit(address(market));
        emit IMarket.EndpointAnnounced(client, "http://127.0.0.1:8080");
        vm.prank(client);
        market.announce("http://127.0.0.1:8080");
    }

    function test_parameters() public view {
        _eq(keccak256(abi.encode(market.parameters())), keccak256(abi.encode(_parameters())), "parameters");
    }

    function test_parts() public {
        Parameters memory p = _parameters();
        Part[4] memory made = _makeParts(p);
        (address a, address v, address d, address j) = new Market(p, made[0], made[1], made[2], made[3]).parts();
        _eq(a, address(made[0]), "accounts");
        _eq(v, address(made[1]), "verifications");
        _eq(d, address(made[2]), "disputes");
        _eq(j, address(made[3]), "appeals");
    }

    function test_partsOfAnotherMarket() public {
        string[4] memory names = ["accounts", "verifications", "disputes", "appeals"];
        Parameters memory p = _parameters();
        Parameters memory q = _parameters();
        q.redraws += 1;
        for (uint256 i; i < 4; ++i) {
            Part[4] memory made = _makeParts(p);
            made[i] = _makeParts(q)[i];
            _fails(abi.encodeWithSelector(IMarket.BadParameters.selector, names[i]));
            new Market(p, made[0], made[1], made[2], made[3]);
        }
    }

    function _makeParts(Parameters memory p) private returns (Part[4] memory) {
        return [Part(new Accounts(p)), new Verifications(p), new Disputes(p), new Appeals(p)];
    }

    /// What the market has no call for, and money without a call.
    function test_unknownCall() public {
        (bool ok, bytes memory data) = address(market).call(hex"12345678");
        _true(!ok && data.length == 0, "unknown call");
        vm.deal(client, 1);
        vm.prank(client);
        (ok, data) = address(market).call{value: 1}("");
        _true(!ok && data.length == 0, "money without a call");
        vm.prank(client);
        (ok, data) = address(market).call{value: 1}(abi.encodeCall(market.register, ()));
        _true(!ok && data.length == 0, "money with a call that takes none");
    }

    function _refusesToDeploy(Parameters memory p, string memory field) private {
        Part[4] memory made = _makeParts(p);
        _fails(abi.encodeWithSelector(IMarket.BadParameters.selector, field));
        new Market(p, made[0], made[1], made[2], made[3]);
    }

    function test_uselessParameters() public {
        Parameters memory p = _parameters();
        p.settleWindow = 0;
        _refusesToDeploy(p, "settleWindow");
        p = _parameters();
        p.drawWindow = 0;
        _refusesToDeploy(p, "drawWindow");
        p = _parameters();
        p.appealWindow = 0;
        _refusesToDeploy(p, "appealWindow");
        p = _parameters();
        p.silentWindow = 0;
        _refusesToDeploy(p, "silentWindow");
        p = _parameters();
        p.minExecuteWindow = 0;
        _refusesToDeploy(p, "minExecuteWindow");
        p.minExecuteWindow = 30 days + 1;
        _refusesToDeploy(p, "minExecuteWindow");
        p = _parameters();
        p.noShowFee = p.minStake + 1;
        _refusesToDeploy(p, "noShowFee");
        p = _parameters();
        p.jurySize = 4;
        _refusesToDeploy(p, "jurySize");
        p.jurySize = 101;
        _refusesToDeploy(p, "jurySize");
        p = _parameters();
        p.maxPieces = 0;
        _refusesToDeploy(p, "maxPieces");
    }
}
