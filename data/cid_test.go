package data

import (
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
)

const (
	emptyDirCID  = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
	emptyFileCID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
	v0CID        = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
)

func TestParseCID(t *testing.T) {
	for _, in := range []string{emptyDirCID, " " + emptyDirCID + "\n", "/ipfs/" + emptyDirCID, "/ipfs/" + emptyDirCID + "/", "ipfs://" + emptyDirCID} {
		if c, err := ParseCID(in); err != nil || c.String() != emptyDirCID {
			t.Errorf("%q: got %v, error %v", in, c, err)
		}
	}
	if c, err := ParseCID(v0CID); err != nil || c.Version() != 0 {
		t.Errorf("version 0: got %v, error %v", c, err)
	}
}

func TestParseCIDRefuses(t *testing.T) {
	for in, says := range map[string]string{
		"":                              "empty CID",
		"/ipfs/":                        "empty CID",
		"hello":                         "not a CID",
		"/ipns/example.org":             "path",
		"/ipfs/" + emptyDirCID + "/a/b": "path \"a/b\"",
		"bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje":                                                    "only UnixFS", // dag-cbor
		"bafkrgqhhyivzstcz3hhswshfjgy6ertgmnqeleynhwt4dlfsthi4hn7zgh4uvlsb5xncykzapi3ocd4lzogukir6ksdy6wzrnz6ohnv4aglcs": "sha2-256",    // sha2-512
	} {
		if _, err := ParseCID(in); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want an error with %q", in, err, says)
		}
	}
}

func TestDigest(t *testing.T) {
	c := cid.MustParse(emptyDirCID)
	digest, err := DigestOf(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := FromDigest(digest); got != c {
		t.Errorf("digest leads back to %s, want %s", got, c)
	}
	for _, in := range []string{emptyFileCID, v0CID} {
		if _, err := DigestOf(cid.MustParse(in)); err == nil {
			t.Errorf("%s has a digest, which would lead back to another CID", in)
		}
	}
	if _, err := DigestOf(cid.Undef); err == nil {
		t.Error("the undefined CID has a digest")
	}
}
