package seal

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
)

var (
	secretA = bytes.Repeat([]byte{0xa}, 64)
	secretB = bytes.Repeat([]byte{0xb}, 64)
)

func pattern(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return b
}

func sealed(t testing.TB, secret, plaintext []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := Encrypt(secret, &out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plaintext); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(secret, ciphertext []byte) ([]byte, error) {
	r, err := Decrypt(secret, bytes.NewReader(ciphertext))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestRoundTrip(t *testing.T) {
	// An age file is made of chunks of 64 KiB.
	for _, n := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		got, err := open(secretA, sealed(t, secretA, pattern(n)))
		if err != nil || !bytes.Equal(got, pattern(n)) {
			t.Errorf("%d bytes: got %d bytes, error %v", n, len(got), err)
		}
	}
}

// The standard library of age, given only the identity's text, opens the file.
func TestStandardAgeOpens(t *testing.T) {
	text, err := Identity(secretA)
	if err != nil {
		t.Fatal(err)
	}
	id, err := age.ParseX25519Identity(text)
	if err != nil {
		t.Fatal(err)
	}
	if id.String() != text {
		t.Errorf("identity %q reads back as %q", text, id)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed(t, secretA, pattern(100_000))), id)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, pattern(100_000)) {
		t.Errorf("got %d bytes, error %v", len(got), err)
	}
}

// Outputs stay readable only as long as a secret keeps leading to the same key.
func TestIdentityIsStable(t *testing.T) {
	const want = "AGE-SECRET-KEY-1RA8F8QXFQGWLX6ASJ96W3HC64LVMDTLSP7JZ46DYL2KJ2LZJJYKQ9AJ6LM"
	if got, err := Identity(secretA); err != nil || got != want {
		t.Errorf("got %q, error %v, want %q", got, err, want)
	}
}

func TestShortSecretIsRefused(t *testing.T) {
	short := make([]byte, 31)
	if _, err := Encrypt(short, io.Discard); err == nil {
		t.Error("Encrypt accepts a secret of 31 bytes")
	}
	if _, err := Decrypt(short, strings.NewReader("x")); err == nil {
		t.Error("Decrypt accepts a secret of 31 bytes")
	}
}

func TestWrongKey(t *testing.T) {
	if _, err := open(secretB, sealed(t, secretA, pattern(1000))); !errors.Is(err, ErrWrongKey) || errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrWrongKey", err)
	}
}

func TestDamage(t *testing.T) {
	good := sealed(t, secretA, pattern(200_000))
	body := bytes.LastIndex(good[:400], []byte("\n--- "))
	flipped := func(i int) []byte {
		b := bytes.Clone(good)
		b[i] ^= 1
		return b
	}
	for name, bad := range map[string][]byte{
		"empty":               nil,
		"not age":             []byte("<html>not found</html>"),
		"cut in the header":   good[:50],
		"cut in a chunk":      good[:len(good)-1],
		"cut between chunks":  good[:len(good)-(200_000%(64<<10)+16)],
		"longer":              append(bytes.Clone(good), 0),
		"flipped header MAC":  flipped(body + 8),
		"flipped nonce":       flipped(body + 60),
		"flipped first chunk": flipped(body + 1000),
		"flipped last byte":   flipped(len(good) - 1),
	} {
		if _, err := open(secretA, bad); !errors.Is(err, ErrCorrupt) || errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: got %v, want ErrCorrupt", name, err)
		}
	}
}

func TestBrokenSourceIsNotCorruption(t *testing.T) {
	broken := errors.New("disk on fire")
	good := sealed(t, secretA, pattern(200_000))
	for _, n := range []int{0, 50, 100_000} {
		r, err := Decrypt(secretA, io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(broken)))
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, broken) || errors.Is(err, ErrCorrupt) {
			t.Errorf("after %d bytes: got %v, want the source's error", n, err)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	hello := sealed(f, secretA, []byte("hello"))
	f.Add(hello)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := open(secretA, b)
		if err == nil && !bytes.Equal(b, hello) {
			t.Errorf("opens %d other bytes to %q", len(b), got)
		}
	})
}
