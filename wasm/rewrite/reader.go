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
		refuse("build it again, or check that the file was copied in full", "it is truncated or malformed")
	}
	r.p++
	return r.b[r.p-1]
}

// u32 reads an unsigned LEB128 of at most 32 bits.
func (r *reader) u32() uint32 {
	v := r.u64()
	if v > 1<<32-1 {
		refuse("", "it is malformed: an integer needs more than 32 bits")
	}
	return uint32(v)
}

func (r *reader) u64() uint64 {
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	refuse("", "it is malformed: an integer is too long")
	return 0
}

// s64 reads a signed LEB128 of at most 64 bits.
func (r *reader) s64() int64 {
	var v int64
	for shift := uint(0); shift < 64; {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if shift += 7; c < 0x80 {
			if shift < 64 && c&0x40 != 0 {
				v |= -1 << shift
			}
			return v
		}
	}
	refuse("", "it is malformed: an integer is too long")
	return 0
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.p) {
		refuse("build it again, or check that the file was copied in full", "it is truncated or malformed")
	}
	s := r.b[r.p : r.p+int(n)]
	r.p += int(n)
	return s
}

func (r *reader) name() string { return string(r.take(r.u32())) }

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
