// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title The nodes that may be given work, at places that a random number can name.
/// @notice Whoever leaves leaves a hole, which a later node fills, so that no node ever changes its place. Every place
/// tells since which block its node is there: a draw passes over those that came once its outcome could be known.
library Registry {
    struct State {
        /// Node in the lower 160 bits, above them the block since when it is there; or no node, and above 1 + the next hole.
        mapping(uint256 place => uint256) entries;
        /// Meaningful for registered nodes only.
        mapping(address node => uint256) places;
        /// Places there are, holes included.
        uint32 length;
        /// 1 + the place of the hole to fill next; 0 if there is none.
        uint32 hole;
        /// The four blocks in which `length` last grew past a power of two, 48 bits each, the last one lowest.
        uint192 grown;
    }

    uint256 private constant SINCE_SHIFT = 160;

    function add(State storage self, address node) internal {
        uint256 place = self.length;
        if (self.hole != 0) {
            place = self.hole - 1;
            self.hole = uint32(self.entries[place] >> SINCE_SHIFT);
        } else {
            self.length = uint32(place) + 1;
            if (place != 0 && place & (place - 1) == 0) self.grown = (self.grown << 48) | uint48(block.number);
        }
        self.places[node] = place;
        self.entries[place] = _since(node);
    }

    function remove(State storage self, address node) internal {
        uint256 place = self.places[node];
        self.entries[place] = uint256(self.hole) << SINCE_SHIFT;
        self.hole = uint32(place) + 1;
        delete self.places[node];
    }

    /// From now on it is as if the node had come now.
    function renew(State storage self, address node) internal {
        self.entries[self.places[node]] = _since(node);
    }

    /// The node at a place, or none if the place is empty or its node came at `target` or later.
    function before(State storage self, uint256 place, uint64 target) internal view returns (address) {
        if (place >= self.length) return address(0);
        uint256 entry = self.entries[place];
        return entry >> SINCE_SHIFT < target ? address(uint160(entry)) : address(0);
    }

    /// The number of places, rounded up to a power of two, less one: what turns a random number into a place. Powers of
    /// two that were passed at `target` or later do not count; only who brings the stake of fifteen times the registry
    /// while a draw is open makes a difference.
    function maskAt(State storage self, uint64 target) internal view returns (uint256 mask) {
        uint256 length = self.length;
        while (mask + 1 < length) {
            mask = 2 * mask + 1;
        }
        for (uint256 grown = self.grown; uint48(grown) >= target; grown >>= 48) {
            mask >>= 1;
        }
    }

    function nodes(State storage self) internal view returns (address[] memory list) {
        uint256 length = self.length;
        list = new address[](length);
        uint256 count;
        for (uint256 place; place < length; ++place) {
            address node = address(uint160(self.entries[place]));
            if (node != address(0)) list[count++] = node;
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    function _since(address node) private view returns (uint256) {
        return (block.number << SINCE_SHIFT) | uint160(node);
    }
}
