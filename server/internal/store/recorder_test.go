//go:build linux

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// op is a kind of entry in a recording.
type op uint8

const (
	opLink     op = iota + 1 // Name is a new file, in the directory
	opUnlink                 // Name is gone from the directory
	opWrite                  // Data goes to Offset
	opTruncate               // the file is Offset long
	opSync                   // what was recorded before Before is on the disk
	opSyncDir                // the same of the directory
	opAnswer                 // a walker was answered its step
)

// entry is something that a process asked of its files or was answered, in order.
type entry struct {
	Op     op
	File   int // counts files, so that a name can stand for one after another
	Name   string
	Offset int64
	Data   []byte
	Before int // counts entries
	Walker int
	Step   int
}

// recorder notes what SQLite writes and syncs. It takes the place of SQLite's own way to the
// files, hands everything on to it, and is for a process of its own: there is no way back.
//
// A write is noted before it is made and a sync after it returned, for what was noted before
// it began. So at any moment the disk holds at least what the recording says.
type recorder struct {
	mu      sync.Mutex
	entries []entry
	files   map[string]int      // those that are there, by name
	opened  map[uintptr]int     // files by SQLite's pointer to them
	dirs    map[*libc.TLS]bool  // whose directory was opened during a sync
	tables  map[uintptr]uintptr // our methods of a file by SQLite's
	kept    []any               // functions that only SQLite refers to
}

// Signatures of the functions that SQLite calls.
type (
	openFunc     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	deleteFunc   = func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	closeFunc    = func(tls *libc.TLS, file uintptr) int32
	writeFunc    = func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32
	truncateFunc = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFunc     = func(tls *libc.TLS, file uintptr, flags int32) int32
	openDirFunc  = func(tls *libc.TLS, name, fd uintptr) int32
	setCallFunc  = func(tls *libc.TLS, vfs, name, call uintptr) int32
	getCallFunc  = func(tls *libc.TLS, vfs, name uintptr) uintptr
)

// at returns what SQLite has at an address. What it is to find there must be made by its own
// allocator: Go's memory is not for its arithmetic.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function returns SQLite's function at an address.
func function[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&address))
}

// address returns where SQLite finds a function of ours.
func (r *recorder) address(f any) uintptr {
	r.kept = append(r.kept, f)
	return (*[2]uintptr)(unsafe.Pointer(&f))[1]
}

// record makes all databases of the process go through a recorder. The recorder must be kept
// as long as there is one.
func record() (*recorder, error) {
	tls := libc.NewTLS()
	if rc := sqlite3.Xsqlite3_initialize(tls); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("initialize SQLite: code %d", rc)
	}
	r := &recorder{
		files: make(map[string]int), opened: make(map[uintptr]int), dirs: make(map[*libc.TLS]bool),
		tables: make(map[uintptr]uintptr),
	}
	found := sqlite3.Xsqlite3_vfs_find(tls, 0)
	inner := *at[sqlite3.Tsqlite3_vfs](found)
	address := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(inner)))
	ours := at[sqlite3.Tsqlite3_vfs](address)
	*ours = inner
	name, err := libc.CString("recorder")
	if err != nil {
		return nil, err
	}
	ours.FzName = name
	ours.FxOpen = r.address(func(tls *libc.TLS, _, name, file uintptr, flags int32, outFlags uintptr) int32 {
		return r.open(tls, function[openFunc](inner.FxOpen), found, name, file, flags, outFlags)
	})
	ours.FxDelete = r.address(func(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
		rc := function[deleteFunc](inner.FxDelete)(tls, found, name, syncDir)
		if rc == sqlite3.SQLITE_OK {
			r.unlink(libc.GoString(name), syncDir != 0)
		}
		return rc
	})
	if err := r.watchDirectories(tls, &inner, found); err != nil {
		return nil, err
	}
	if rc := sqlite3.Xsqlite3_vfs_register(tls, address, 1); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("register the recorder: code %d", rc)
	}
	return r, nil
}

// watchDirectories notes when the directory of a file is opened, which SQLite does to sync
// it.
func (r *recorder) watchDirectories(tls *libc.TLS, inner *sqlite3.Tsqlite3_vfs, found uintptr) error {
	name, err := libc.CString("openDirectory")
	if err != nil {
		return err
	}
	call := function[getCallFunc](inner.FxGetSystemCall)(tls, found, name)
	if call == 0 {
		return errors.New("SQLite does not say how it opens directories")
	}
	open := function[openDirFunc](call)
	ours := func(tls *libc.TLS, name, fd uintptr) int32 {
		r.mu.Lock()
		r.dirs[tls] = true
		r.mu.Unlock()
		return open(tls, name, fd)
	}
	if rc := function[setCallFunc](inner.FxSetSystemCall)(tls, found, name, r.address(ours)); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("watch how SQLite opens directories: code %d", rc)
	}
	return nil
}

// add notes an entry. The caller holds mu.
func (r *recorder) add(e entry) { r.entries = append(r.entries, e) }

// answer notes that a walker was answered.
func (r *recorder) answer(w, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(entry{Op: opAnswer, Walker: w, Step: n})
}

// unlink notes that a file is gone.
func (r *recorder) unlink(name string, syncDir bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(entry{Op: opUnlink, Name: name})
	delete(r.files, name)
	if syncDir {
		r.add(entry{Op: opSyncDir, Before: len(r.entries)})
	}
}

func (r *recorder) open(tls *libc.TLS, open openFunc, vfs, name, file uintptr, flags int32, outFlags uintptr) int32 {
	rc := open(tls, vfs, name, file, flags, outFlags)
	if rc != sqlite3.SQLITE_OK || name == 0 {
		return rc
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text := libc.GoString(name)
	id, ok := r.files[text]
	if !ok {
		id = len(r.entries) + 1
		r.files[text] = id
		r.add(entry{Op: opLink, File: id, Name: text})
	}
	r.opened[file] = id
	f := at[sqlite3.Tsqlite3_file](file)
	if r.tables[f.FpMethods] == 0 {
		r.tables[f.FpMethods] = r.methods(tls, *at[sqlite3.Tsqlite3_io_methods](f.FpMethods))
	}
	f.FpMethods = r.tables[f.FpMethods]
	return rc
}

// methods returns where SQLite's methods of a file are with ours in front.
func (r *recorder) methods(tls *libc.TLS, inner sqlite3.Tsqlite3_io_methods) uintptr {
	address := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(inner)))
	m := at[sqlite3.Tsqlite3_io_methods](address)
	*m = inner
	m.FxClose = r.address(func(tls *libc.TLS, file uintptr) int32 {
		r.mu.Lock()
		delete(r.opened, file)
		r.mu.Unlock()
		return function[closeFunc](inner.FxClose)(tls, file)
	})
	m.FxWrite = r.address(func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
		r.mu.Lock()
		r.add(entry{Op: opWrite, File: r.opened[file], Offset: offset, Data: bytes.Clone(unsafe.Slice(at[byte](data), n))})
		r.mu.Unlock()
		return done("write", function[writeFunc](inner.FxWrite)(tls, file, data, n, offset))
	})
	m.FxTruncate = r.address(func(tls *libc.TLS, file uintptr, size int64) int32 {
		r.mu.Lock()
		r.add(entry{Op: opTruncate, File: r.opened[file], Offset: size})
		r.mu.Unlock()
		return done("truncate", function[truncateFunc](inner.FxTruncate)(tls, file, size))
	})
	m.FxSync = r.address(func(tls *libc.TLS, file uintptr, flags int32) int32 {
		r.mu.Lock()
		before := len(r.entries)
		delete(r.dirs, tls)
		r.mu.Unlock()
		rc := done("sync", function[syncFunc](inner.FxSync)(tls, file, flags))
		r.mu.Lock()
		defer r.mu.Unlock()
		r.add(entry{Op: opSync, File: r.opened[file], Before: before})
		if r.dirs[tls] {
			r.add(entry{Op: opSyncDir, Before: before})
		}
		return rc
	})
	return address
}

// done stops the process when something fails that the recording says was done.
func done(what string, rc int32) int32 {
	if rc != sqlite3.SQLITE_OK {
		panic(fmt.Sprintf("%s: code %d", what, rc))
	}
	return rc
}
