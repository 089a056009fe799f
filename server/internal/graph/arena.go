package graph

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"unsafe"
)

// An entry of the arena is the object's number, its type, the length of its id, and the id.
const (
	entryNode = 0
	entryType = 4
	entryLen  = 6
	entryID   = 8

	chunkBits = 16
	chunkSize = 1 << chunkBits

	// maxID is the greatest length of an id. SpiceDB's is 1,024.
	maxID = 4096

	// maxArena leaves the last offset, and what rounding up to a chunk may add, unused.
	maxArena = 1<<32 - 2*chunkSize
)

// errFull is returned when the names of all objects ever seen exceed what offsets can tell
// apart.
var errFull = errors.New("the graph has no room for more objects: start again to drop the names of deleted ones")

type chunk [chunkSize]byte

// arena holds the names of objects, append-only. Bytes below an offset that a snapshot
// knows never change, so that readers need no locks and may be handed strings that point
// into it.
type arena struct {
	chunks atomic.Pointer[[]*chunk]
	end    uint64 // the writer's
}

// add appends an entry and returns its offset.
func (a *arena) add(n Node, typ Type, id string) (uint32, error) {
	size := uint64(entryID + len(id))
	off := a.end
	if off>>chunkBits != (off+size-1)>>chunkBits {
		off = (off + chunkSize - 1) &^ (chunkSize - 1) // an entry lies within one chunk
	}
	if off == 0 {
		off = entryID // offset 0 stands for an empty slot
	}
	if off+size > maxArena {
		return 0, errFull
	}
	b := a.chunk(off)[off&(chunkSize-1):]
	binary.LittleEndian.PutUint32(b[entryNode:], uint32(n))
	binary.LittleEndian.PutUint16(b[entryType:], uint16(typ))
	binary.LittleEndian.PutUint16(b[entryLen:], uint16(len(id)))
	copy(b[entryID:], id)
	a.end = off + size
	return uint32(off), nil
}

// chunk returns the chunk of an offset, adding it when it is the next.
func (a *arena) chunk(off uint64) *chunk {
	var chunks []*chunk
	if p := a.chunks.Load(); p != nil {
		chunks = *p
	}
	i := int(off >> chunkBits)
	if i == len(chunks) {
		next := append(chunks, new(chunk)) // older headers do not reach the new element
		a.chunks.Store(&next)
		return next[i]
	}
	return chunks[i]
}

// entry returns an entry that was published to the caller, and at least its header.
func (a *arena) entry(off uint32) []byte {
	return (*a.chunks.Load())[off>>chunkBits][off&(chunkSize-1):]
}

// object returns the number of the object of an entry, and whether it has this name.
func (a *arena) object(off uint32, typ Type, id string) (Node, bool) {
	b := a.entry(off)
	size := int(binary.LittleEndian.Uint16(b[entryLen:]))
	if size != len(id) || Type(binary.LittleEndian.Uint16(b[entryType:])) != typ || string(b[entryID:entryID+size]) != id {
		return 0, false
	}
	return Node(binary.LittleEndian.Uint32(b[entryNode:])), true
}

// name returns the name of an entry. The text lies in the arena, which outlives it.
func (a *arena) name(off uint32) (Type, string) {
	b := a.entry(off)
	size := int(binary.LittleEndian.Uint16(b[entryLen:]))
	id := b[entryID : entryID+size]
	return Type(binary.LittleEndian.Uint16(b[entryType:])), unsafe.String(unsafe.SliceData(id), size) //nolint:gosec // these bytes never change again
}
