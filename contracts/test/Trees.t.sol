// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check, Vm} from "./fixture/Check.sol";

/// @title The specification trees, one per call, and the tests speak of the same things.
contract TreesTest is Check {
    string private constant FUNCTION = "    function ";

    /// Names of the functions of a source that start with `start`.
    function _functions(string memory path, string memory start) private view returns (string[] memory names) {
        string[] memory parts = vm.split(vm.readFile(path), string.concat(FUNCTION, start));
        names = new string[](parts.length - 1);
        for (uint256 i; i < names.length; ++i) {
            names[i] = string.concat(start, vm.split(parts[i + 1], "(")[0]);
        }
    }

    /// Sources of the suites that follow the trees: all but these, which measure.
    function _suites() private view returns (string[] memory paths) {
        Vm.DirEntry[] memory entries = vm.readDir("test");
        paths = new string[](entries.length);
        for (uint256 i; i < entries.length; ++i) {
            string memory path = entries[i].path;
            bool suite = vm.contains(path, ".t.sol");
            bool measures = vm.contains(path, "/Gas.") || vm.contains(path, "/Limits.") || vm.contains(path, "/Trees.");
            paths[i] = suite && !measures ? path : "";
        }
    }

    function _isView(string memory declaration) private pure returns (bool) {
        return vm.contains(vm.split(declaration, ";")[0], " view");
    }

    /// All trees after each other: one for the constructor, one for each call, one for all views.
    function _trees() private view returns (string memory text) {
        text = string.concat(vm.readFile("test/trees/constructor.tree"), vm.readFile("test/trees/views.tree"));
        string[] memory declarations = vm.split(vm.readFile("src/IMarket.sol"), FUNCTION);
        for (uint256 i = 1; i < declarations.length; ++i) {
            if (_isView(declarations[i])) continue;
            string memory name = vm.split(declarations[i], "(")[0];
            string memory path = string.concat("test/trees/", name, ".tree");
            string memory tree = vm.readFile(path);
            _true(vm.contains(tree, string.concat(name, "\n")), string.concat("the root of the tree is ", name));
            text = string.concat(text, tree);
        }
    }

    function test_everyViewIsInTheTree() public view {
        string memory tree = vm.readFile("test/trees/views.tree");
        string[] memory declarations = vm.split(vm.readFile("src/IMarket.sol"), FUNCTION);
        for (uint256 i = 1; i < declarations.length; ++i) {
            string memory name = vm.split(declarations[i], "(")[0];
            if (_isView(declarations[i])) _true(vm.contains(tree, name), string.concat("views.tree lacks ", name));
        }
    }

    function test_everyTestIsInATree() public view {
        string memory trees = _trees();
        string[] memory suites = _suites();
        for (uint256 s; s < suites.length; ++s) {
            if (bytes(suites[s]).length == 0) continue;
            string[] memory names = _functions(suites[s], "test");
            for (uint256 i; i < names.length; ++i) {
                _true(vm.contains(trees, string.concat(": ", names[i], "\n")), string.concat("no tree has ", names[i]));
            }
        }
    }

    function test_everyLeafIsATest() public view {
        string memory tests;
        string[] memory suites = _suites();
        for (uint256 s; s < suites.length; ++s) {
            if (bytes(suites[s]).length != 0) tests = string.concat(tests, vm.readFile(suites[s]));
        }
        string[] memory leaves = vm.split(_trees(), ": test");
        for (uint256 i = 1; i < leaves.length; ++i) {
            string memory name = string.concat("test", vm.split(leaves[i], "\n")[0]);
            _true(vm.contains(tests, string.concat(FUNCTION, name, "(")), string.concat("there is no ", name));
        }
    }
}
