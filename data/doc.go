// Package data is content-addressed data: a durable local store of IPFS blocks,
// and the ways in and out of it.
//
// Everything is UnixFS in the CID profile unixfs-v1-2025 (IPIP-499), so the same
// files have the same CID here and in every other implementation that follows
// the profile. Nothing is believed because of where it came from: a block is
// kept only if it hashes to a CID that the wanted DAG asks for.
package data
