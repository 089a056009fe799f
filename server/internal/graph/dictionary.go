package graph

import (
	"hash/maphash"
	"sync/atomic"
)

const (
	shardBits = 8

	offsetBits  = 12
	offsetChunk = 1 << offsetBits

	// deadSlot stands for a name that was taken back. Its offset is none that the arena gives.
	deadSlot = 1<<32 - 1

	// firstSlots is the size of a shard's first table.
	firstSlots = 8
)

// shard is an open-addressing table with linear probing. A slot is 0 when it is empty,
// else 32 bits of the name's hash above the offset of its entry in the arena. The writer
// stores slots atomically and replaces a table when it grows.
type shard struct {
	slots []uint64
	used  int // the writer's: slots that are not empty, dead ones included
}

// dictionary numbers objects. One writer adds names, at the end only, and may take the last
// ones back before any reader could see them; readers take no locks and bring the arena
// offset at which their snapshot's names end.
type dictionary struct {
	seed    maphash.Seed
	arena   arena
	shards  [1 << shardBits]atomic.Pointer[shard]
	offsets atomic.Pointer[[]*[offsetChunk]uint32]
	nodes   uint32 // the writer's
	slots   int    // the writer's: slots of all shards
}

func newDictionary() *dictionary {
	return &dictionary{seed: maphash.MakeSeed()}
}

// hash spreads names over shards by its highest bits and over slots by its lowest 32.
func (d *dictionary) hash(typ Type, id string) uint64 {
	return maphash.String(d.seed, id) ^ (uint64(typ)+1)*sumA
}

// home is the slot at which the search for a tag begins.
func home(tag uint32, slots int) int {
	return int(uint64(tag) * uint64(slots) >> 32)
}

// find returns the number of an object whose name lies below end.
func (d *dictionary) find(typ Type, id string, end uint64) (Node, bool) {
	h := d.hash(typ, id)
	s := d.shards[h>>(64-shardBits)].Load()
	if s == nil {
		return 0, false
	}
	tag := uint32(h)
	for i := home(tag, len(s.slots)); ; {
		slot := atomic.LoadUint64(&s.slots[i])
		if slot == 0 {
			return 0, false
		}
		// An offset at or beyond end is not for this reader to look at: the writer may
		// take the name back and put another in its place.
		if off := uint32(slot); uint32(slot>>32) == tag && uint64(off) < end {
			if n, ok := d.arena.object(off, typ, id); ok {
				return n, true
			}
		}
		if i++; i == len(s.slots) {
			i = 0
		}
	}
}

// add numbers an object that find does not find.
func (d *dictionary) add(typ Type, id string) (Node, error) {
	n := Node(d.nodes)
	off, err := d.arena.add(n, typ, id)
	if err != nil {
		return 0, err
	}
	d.setOffset(n, off)
	h := d.hash(typ, id)
	s := d.roomy(&d.shards[h>>(64-shardBits)])
	s.insert(uint64(uint32(h))<<32 | uint64(off))
	d.nodes++
	return n, nil
}

// roomy returns the shard with room for one more name.
func (d *dictionary) roomy(p *atomic.Pointer[shard]) *shard {
	s := p.Load()
	if s != nil && (s.used+1)*4 <= len(s.slots)*3 {
		return s
	}
	size := firstSlots
	if s != nil {
		size = len(s.slots) + len(s.slots)/2
		if size > 1024 {
			size = len(s.slots) + len(s.slots)/4
		}
		d.slots -= len(s.slots)
	}
	next := &shard{slots: make([]uint64, size)}
	if s != nil {
		for _, slot := range s.slots {
			if slot != 0 && uint32(slot) != deadSlot {
				next.insert(slot)
			}
		}
	}
	d.slots += size
	p.Store(next)
	return next
}

func (s *shard) insert(slot uint64) {
	i := home(uint32(slot>>32), len(s.slots))
	for s.slots[i] != 0 {
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	atomic.StoreUint64(&s.slots[i], slot)
	s.used++
}

// undo takes back the names from nodes and end on, which no reader has been told of.
func (d *dictionary) undo(nodes uint32, end uint64) {
	for d.nodes > nodes {
		d.nodes--
		off := d.offset(Node(d.nodes))
		h := d.hash(d.arena.name(off))
		s := d.shards[h>>(64-shardBits)].Load()
		want := uint64(uint32(h))<<32 | uint64(off)
		i := home(uint32(h), len(s.slots))
		for s.slots[i] != want {
			if i++; i == len(s.slots) {
				i = 0
			}
		}
		atomic.StoreUint64(&s.slots[i], want|deadSlot)
	}
	d.arena.end = end
}

func (d *dictionary) setOffset(n Node, off uint32) {
	var chunks []*[offsetChunk]uint32
	if p := d.offsets.Load(); p != nil {
		chunks = *p
	}
	i := int(n >> offsetBits)
	if i == len(chunks) {
		next := append(chunks, new([offsetChunk]uint32)) // older headers do not reach the new element
		d.offsets.Store(&next)
		chunks = next
	}
	chunks[i][n&(offsetChunk-1)] = off
}

func (d *dictionary) offset(n Node) uint32 {
	return (*d.offsets.Load())[n>>offsetBits][n&(offsetChunk-1)]
}

// name returns the name of an object that was published to the caller.
func (d *dictionary) name(n Node) (Type, string) {
	return d.arena.name(d.offset(n))
}

// bytes returns what the dictionary occupies. It is for the writer.
func (d *dictionary) bytes() int {
	n := d.slots * 8
	if p := d.arena.chunks.Load(); p != nil {
		n += len(*p) * (chunkSize + 8)
	}
	if p := d.offsets.Load(); p != nil {
		n += len(*p) * (4*offsetChunk + 8)
	}
	return n
}
