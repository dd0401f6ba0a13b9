// Package protocol is the client's and the nodes' side of the protocol as pure functions: no clock, no I/O, no
// goroutine. The rules about money and time live in the contract alone; this package computes what goes into it
// (digests, commitments, dice, Merkle roots, economics) and folds its events into a View.
//
// Amounts are wei, times are chain timestamps in seconds, work is fuel, sizes are bytes.
package protocol

//go:generate go run ../tools/vocab
