package rewrite

import "encoding/binary"

// reader walks a section; it refuses the module at the first malformed byte.
type reader struct {
	b []byte
	p int
}

func (r *reader) more() bool { return r.p < len(r.b) }

func (r *reader) byte() byte {
	if r.p >= len(r.b) {
		malformed("it ends too early")
	}
	r.p++
	return r.b[r.p-1]
}

// Engines disagree about integers that are longer than their type needs, so
// the readers below take what the specification takes and no more.

// u32 reads an unsigned LEB128 of at most 32 bits.
func (r *reader) u32() uint32 { return uint32(r.unsigned(32)) }

func (r *reader) unsigned(bits uint) uint64 {
	var v uint64
	for shift := uint(0); shift < bits; shift += 7 {
		c := r.byte()
		if left := bits - shift; left < 7 && c>>left != 0 {
			break
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	malformed("an integer needs more than %d bits", bits)
	return 0
}

// signed reads a signed LEB128 of at most bits bits.
func (r *reader) signed(bits uint) int64 {
	var v int64
	for shift := uint(0); shift < bits; {
		c := r.byte()
		if left := bits - shift; left < 7 {
			// The bits beyond must all repeat the sign.
			if rest := int8(c<<1) >> left; c >= 0x80 || (rest != 0 && rest != -1) {
				break
			}
		}
		v |= int64(c&0x7f) << shift
		if shift += 7; c < 0x80 {
			if shift < 64 && c&0x40 != 0 {
				v |= -1 << shift
			}
			return v
		}
	}
	malformed("an integer needs more than %d bits", bits)
	return 0
}

// subOpcode reads the opcode behind a prefix, which must be in its shortest
// form: one engine takes the first byte for the whole.
func (r *reader) subOpcode() uint32 {
	start := r.p
	v := r.u32()
	if r.p-start != len(appendU(nil, uint64(v))) {
		malformed("an instruction is not in its shortest form")
	}
	return v
}

// valueTypes reads n value types. Engines take more than the profile's, each
// its own.
func (r *reader) valueTypes(n uint32) []byte {
	types := r.take(n)
	for _, t := range types {
		checkValueType(t)
	}
	return types
}

func checkValueType(t byte) {
	if (t < typeV128 || t > typeI32) && !isReference(t) {
		refuse("compile for WebAssembly 2.0 without typed references or garbage collection", "it uses a value type that is not part of WebAssembly 2.0")
	}
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.p) {
		malformed("it ends too early")
	}
	s := r.b[r.p : r.p+int(n)]
	r.p += int(n)
	return s
}

// constExpr reads a constant expression and returns it with function indices
// passed through shift.
func (r *reader) constExpr(shift func(uint32) uint32) []byte {
	var out []byte
	for {
		start := r.p
		in := r.instruction()
		if in.op == opRefFunc {
			out = appendU(append(out, opRefFunc), uint64(shift(in.imm)))
		} else {
			out = append(out, r.b[start:r.p]...)
		}
		if in.op == opEnd {
			return out
		}
	}
}

func appendU(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func appendS(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, s string) []byte { return append(appendU(b, uint64(len(s))), s...) }
