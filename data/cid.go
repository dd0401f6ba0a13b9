package data

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// maxIdentityBytes bounds data that is written into a CID itself.
const maxIdentityBytes = 128

// ParseCID reads a CID, version 0 or 1, bare or as a path "/ipfs/<cid>" or a URL
// "ipfs://<cid>". A path below the CID is refused: resolve it with Store.Resolve.
func ParseCID(s string) (cid.Cid, error) {
	text := strings.TrimSpace(s)
	for _, prefix := range []string{"/ipfs/", "ipfs://"} {
		text = strings.TrimPrefix(text, prefix)
	}
	text = strings.TrimSuffix(text, "/")
	if text == "" {
		return cid.Undef, errors.New("empty CID: give one such as bafybei…")
	}
	if root, rest, found := strings.Cut(text, "/"); found {
		return cid.Undef, fmt.Errorf("%q has the path %q below the CID %s: give the CID of the file or directory itself", s, rest, root)
	}
	c, err := cid.Decode(text)
	if err != nil {
		return cid.Undef, fmt.Errorf("%q is not a CID: %w", s, err)
	}
	if err := checkCID(c); err != nil {
		return cid.Undef, err
	}
	return c, nil
}

// DigestOf returns the 32 bytes by which the chain knows a DAG: the sha2-256
// digest inside a CIDv1 with codec dag-pb. Any other kind of CID is an error,
// because FromDigest could not give it back.
func DigestOf(c cid.Cid) ([32]byte, error) {
	var digest [32]byte
	if !c.Defined() {
		return digest, errors.New("undefined CID has no digest")
	}
	p := c.Prefix()
	if p.Version != 1 || p.Codec != cid.DagProtobuf || p.MhType != mh.SHA2_256 || p.MhLength != len(digest) {
		return digest, fmt.Errorf("%s is not a CIDv1 of a dag-pb node with a sha2-256 digest: put the file into a directory first", c)
	}
	decoded, err := mh.Decode(c.Hash())
	if err != nil {
		return digest, fmt.Errorf("digest of %s: %w", c, err)
	}
	copy(digest[:], decoded.Digest)
	return digest, nil
}

// FromDigest is the inverse of DigestOf.
func FromDigest(digest [32]byte) cid.Cid {
	hash, err := mh.Encode(digest[:], mh.SHA2_256)
	if err != nil {
		panic(err) // a 32-byte sha2-256 digest always encodes
	}
	return cid.NewCidV1(cid.DagProtobuf, hash)
}

// checkCID accepts what this package can hold and verify: UnixFS (dag-pb and raw
// nodes) under sha2-256, or small data inlined in the CID. Weak or unknown hash
// functions are refused, since blocks come from strangers.
func checkCID(c cid.Cid) error {
	if !c.Defined() {
		return errors.New("undefined CID")
	}
	p := c.Prefix()
	if p.Codec != cid.DagProtobuf && p.Codec != cid.Raw {
		return fmt.Errorf("CID %s has codec 0x%x: only UnixFS data (dag-pb and raw) is supported", c, p.Codec)
	}
	switch p.MhType {
	case mh.SHA2_256:
		if p.MhLength == 32 {
			return nil
		}
	case mh.IDENTITY:
		if p.Codec == cid.Raw && p.MhLength <= maxIdentityBytes {
			return nil
		}
	}
	return fmt.Errorf("CID %s has hash 0x%x of %d bytes: only sha2-256 is supported", c, p.MhType, p.MhLength)
}
