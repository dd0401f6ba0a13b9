// Package model is an independent model of one execution's life, explored exhaustively and compared step by step with
// the compiled contract.
//
// It is written from the protocol's description, not from the Solidity: a state is a plain value, a move gives the next
// state or says why it is refused, and time is what is left until the next deadline. The tests hold the protocol's
// invariants against every state that any set of dishonest parties can reach, and make the same moves, and those that
// must be refused, on the contract in an in-process EVM.
//
// Some things are simpler here than there. A job has one or two pieces, and one execution. Who is drawn is chosen by the
// explorer, from nodes without a seat; jurors are nodes of their own, so that a panel's nodes never sit on a jury. Every
// wallet has money enough. Evidence is true: what a forged proof, key or record does is for the contract's own tests.
package model
