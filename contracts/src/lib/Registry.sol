// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title The nodes that may be given work, in an array that a random number can index.
library Registry {
    struct State {
        address[] nodes;
        /// Place in `nodes`; meaningful for registered nodes only.
        mapping(address node => uint256) places;
    }

    function add(State storage self, address node) internal {
        self.places[node] = self.nodes.length;
        self.nodes.push(node);
    }

    /// The last node takes the place of the one removed.
    function remove(State storage self, address node) internal {
        uint256 place = self.places[node];
        address last = self.nodes[self.nodes.length - 1];
        self.nodes[place] = last;
        self.places[last] = place;
        self.nodes.pop();
        delete self.places[node];
    }
}
