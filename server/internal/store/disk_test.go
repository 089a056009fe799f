//go:build linux

package store_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// sector is what a disk writes as a whole.
const sector = 512

// disk is what is sure to be on a disk, and what was asked since, as a recording goes on.
type disk struct {
	n     int // how many entries it has seen
	files map[int]*diskFile
	links map[string]int // files by name
	dir   []pending      // changes of links that were not synced
	acked places
}

// diskFile is a file on a disk.
type diskFile struct {
	image   []byte
	pending []pending
}

// pending is an entry and its place in the recording.
type pending struct {
	entry
	at int
}

func newDisk() *disk { return &disk{files: make(map[int]*diskFile), links: make(map[string]int)} }

// see takes in the next entry.
func (d *disk) see(e entry) {
	p := pending{e, d.n}
	d.n++
	f := d.files[e.File]
	switch e.Op {
	case opLink:
		d.files[e.File] = &diskFile{}
		d.dir = append(d.dir, p)
	case opUnlink:
		d.dir = append(d.dir, p)
	case opWrite, opTruncate:
		f.pending = append(f.pending, p)
	case opSync:
		n := split(f.pending, e.Before)
		for _, p := range f.pending[:n] {
			f.image = p.apply(f.image)
		}
		f.pending = slices.Clone(f.pending[n:])
	case opSyncDir:
		n := split(d.dir, e.Before)
		for _, p := range d.dir[:n] {
			p.link(d.links)
		}
		d.dir = slices.Clone(d.dir[n:])
	case opAnswer:
		d.acked[e.Walker] = e.Step
	}
}

// split returns how many entries are from before a place in the recording.
func split(all []pending, before int) int {
	n := slices.IndexFunc(all, func(p pending) bool { return p.at >= before })
	if n < 0 {
		return len(all)
	}
	return n
}

// link carries out a change of the directory.
func (p *pending) link(links map[string]int) {
	if p.Op == opLink {
		links[p.Name] = p.File
	} else {
		delete(links, p.Name)
	}
}

// apply carries out a change of a file.
func (p *pending) apply(image []byte) []byte {
	if p.Op == opTruncate {
		return resize(image, p.Offset)
	}
	return patch(image, p.Offset, p.Data)
}

func patch(image []byte, offset int64, data []byte) []byte {
	if end := offset + int64(len(data)); end > int64(len(image)) {
		image = resize(image, end)
	}
	copy(image[offset:], data)
	return image
}

func resize(image []byte, size int64) []byte {
	if size <= int64(len(image)) {
		return image[:size:size] // what grows again is zero
	}
	return append(image, make([]byte, size-int64(len(image)))...)
}

// tear carries out a part of a write: up to some byte, or some of its sectors.
func (p *pending) tear(image []byte, random *rand.Rand) []byte {
	if p.Op == opTruncate {
		return image
	}
	if random.IntN(2) == 0 {
		return patch(image, p.Offset, p.Data[:random.IntN(len(p.Data)+1)])
	}
	for from := 0; from < len(p.Data); {
		to := min(len(p.Data), from+sector-int((p.Offset+int64(from))%sector))
		if random.IntN(2) == 0 {
			image = patch(image, p.Offset+int64(from), p.Data[from:to])
		}
		from = to
	}
	return image
}

// fail writes into a directory what the disk may have after the power failed now: of each
// file what was synced, and of everything since at random nothing, all, or some, in part.
func (d *disk) fail(dir string, random *rand.Rand) error {
	// In one place each, more often than by chance: nothing, and all, got there.
	keep := []float64{0, 1, 0.9, 0.5, 0.1}[random.IntN(5)]
	links := make(map[string]int)
	for name, file := range d.links {
		links[name] = file
	}
	for _, p := range d.dir { // a directory keeps its order
		if random.Float64() > keep {
			break
		}
		p.link(links)
	}
	for name, file := range links {
		f := d.files[file]
		image := slices.Clone(f.image)
		for _, p := range f.pending {
			switch chance := random.Float64(); {
			case chance < keep:
				image = p.apply(image)
			case keep > 0 && chance < keep+(1-keep)/2:
				image = p.tear(image, random)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), image, 0o600); err != nil {
			return err
		}
	}
	// The index of the log is rebuilt, whatever is found of it.
	shm := make([]byte, random.IntN(2)*32768)
	for i := range shm {
		shm[i] = byte(random.Uint32())
	}
	return os.WriteFile(filepath.Join(dir, "behalf.db-shm"), shm, 0o600)
}
