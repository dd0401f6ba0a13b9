// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";
import {Offer} from "../types/Job.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title Nodes' signed promises, as EIP-712 typed data.
library Offers {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Bacalhau Market");
    bytes32 private constant VERSION = keccak256("1");
    bytes32 private constant OFFER_TYPE =
        keccak256("Offer(bytes32 job,address node,uint32 pieces,uint32 nonce,uint64 deadline)");

    function digest(Offer calldata offer) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, address(this)));
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(OFFER_TYPE, offer)));
    }

    /// Fails with `BadSignature` unless the offer's node signed it (65 bytes, s in the lower half).
    function requireSigned(Offer calldata offer, bytes calldata signature) internal view {
        (address signer, ECDSA.RecoverError err,) = ECDSA.tryRecoverCalldata(digest(offer), signature);
        if (err != ECDSA.RecoverError.NoError || signer != offer.node) revert IMarket.BadSignature(signer, offer.node);
    }
}
