package graph

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// The multipliers of the checksum, odd and without structure. Sums are kept in files:
// neither they nor the steps below may ever change.
const (
	sumA = 0x9E3779B185EBCA87
	sumB = 0xC2B2AE3D27D4EB4F
	sumC = 0x165667B19E3779F9
)

// Sum returns the checksum of one tuple, payload included. It depends on nothing but the
// tuple's contents, so that a file, a replica and a graph can be compared; the checksum of
// a set is the sum of its tuples', in whatever order, modulo 2^64.
func Sum(t *Tuple) uint64 {
	return t.sum(t.payload())
}

// sum returns the checksum of t as if it had a payload.
func (t *Tuple) sum(p *Payload) uint64 {
	h := uint64(sumC)
	h = sumText(h, t.Resource.Type)
	h = sumText(h, t.Resource.ID)
	h = sumText(h, t.Relation)
	h = sumText(h, t.Subject.Type)
	h = sumText(h, t.Subject.ID)
	h = sumText(h, t.Subject.Relation)
	if p != nil {
		h = sumTime(h, p.Expires)
		h = sumText(h, p.Caveat)
		h = sumText(h, p.Context)
		h = sumText(h, p.Note)
	}
	return avalanche(h)
}

// sumText adds a text with its length, so that neighbouring fields cannot trade bytes.
func sumText(h uint64, s string) uint64 {
	h = sumWord(h, uint64(len(s)))
	for len(s) >= 8 {
		h = sumWord(h, word(s))
		s = s[8:]
	}
	if len(s) > 0 {
		var tail [8]byte
		copy(tail[:], s)
		h = sumWord(h, binary.LittleEndian.Uint64(tail[:]))
	}
	return h
}

// sumTime adds an instant; the zero time, which stands for never, is outside the others.
func sumTime(h uint64, t time.Time) uint64 {
	if t.IsZero() {
		return sumWord(h, 0)
	}
	h = sumWord(h, 1)
	h = sumWord(h, uint64(t.Unix()))
	return sumWord(h, uint64(t.Nanosecond()))
}

// sumWord is a bijection of h for every w, and of w for every h: no word can wipe out
// what came before it.
func sumWord(h, w uint64) uint64 {
	w = bits.RotateLeft64(w*sumB, 31) * sumA
	return bits.RotateLeft64(h^w, 27)*sumA + sumC
}

// avalanche lets every bit of h bear on every bit of the result.
func avalanche(h uint64) uint64 {
	h ^= h >> 33
	h *= sumB
	h ^= h >> 29
	h *= sumC
	return h ^ h>>32
}

// word returns the first eight bytes of s.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
