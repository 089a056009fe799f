package walk

import "math/bits"

// table is a set of keys with a byte each, that keeps its memory when it is emptied. Zero
// is no key.
type table struct {
	keys   []uint64
	values []uint8
	size   int
	shift  uint8 // from a hash to a place
}

// keep is how many slots an emptied table keeps at most.
const keep = 1 << 18

// slot returns the place of a key: where it is or where it would be.
func (t *table) slot(key uint64) int {
	mask := uint64(len(t.keys) - 1)
	i := (key * 0x9e3779b97f4a7c15) >> t.shift
	for t.keys[i] != 0 && t.keys[i] != key {
		i = (i + 1) & mask
	}
	return int(i)
}

// find returns the value of a key.
func (t *table) find(key uint64) (uint8, bool) {
	if t.size == 0 {
		return 0, false
	}
	i := t.slot(key)
	return t.values[i], t.keys[i] != 0
}

// put sets the value of a key.
func (t *table) put(key uint64, value uint8) {
	if 2*t.size >= len(t.keys) {
		t.grow()
	}
	i := t.slot(key)
	if t.keys[i] == 0 {
		t.keys[i] = key
		t.size++
	}
	t.values[i] = value
}

func (t *table) grow() {
	old := *t
	n := max(64, 4*len(old.keys))
	t.keys, t.values = make([]uint64, n), make([]uint8, n)
	t.shift = uint8(64 - bits.TrailingZeros(uint(n)))
	for i, key := range old.keys {
		if key != 0 {
			j := t.slot(key)
			t.keys[j], t.values[j] = key, old.values[i]
		}
	}
}

// empty removes all keys.
func (t *table) empty() {
	switch {
	case len(t.keys) > keep:
		*t = table{}
	case t.size > 0:
		clear(t.keys)
		t.size = 0
	}
}
