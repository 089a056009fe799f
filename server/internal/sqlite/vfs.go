package sqlite

import (
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The way to the files: SQLite's own, with a checksum at the end of each page of a database.
// The checksum is set when the page is written and compared when it is read; a page that
// differs is not handed on, and SQLite says SQLITE_IOERR_DATA. Only files of databases have
// them: a log has checksums of its own, and its pages come by here when they are copied back.
//
// All that SQLite follows a pointer to is memory of its own allocator, and all functions are
// the package's, which nothing moves or frees.

// vfsName is what SQLite knows this way by.
const vfsName = "behalf"

// vfs is how SQLite is told of a way to the files, and the way that it leads to.
type vfs struct {
	sqlite3.Tsqlite3_vfs
	inner uintptr
}

// summed is kept with each open file of a database, behind what the system's own methods keep
// there. It begins with the methods, because a file leads to those.
type summed struct {
	sqlite3.Tsqlite3_io_methods
	inner  uintptr // the system's methods
	sealed int32   // 1 once the file was seen to have checksums
}

// Signatures of what SQLite calls, and of what is called in turn.
type (
	openFunc   = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	pageFunc   = func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32
	traitsFunc = func(tls *libc.TLS, file uintptr) int32
)

// at returns what is at an address of SQLite's.
func at[T any](address uintptr) *T {
	return *(**T)(unsafe.Pointer(&address)) //nolint:gosec // memory that Go does not move
}

// bytesAt returns so many bytes of SQLite's.
func bytesAt(address uintptr, n int32) []byte {
	return unsafe.Slice(at[byte](address), n) //nolint:gosec // SQLite says how many there are
}

// function returns SQLite's function at an address.
func function[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&address)) //nolint:gosec // it is what the driver makes of functions
}

// address returns where SQLite finds a function, which must be one of a package.
func address(f any) uintptr {
	return (*[2]uintptr)(unsafe.Pointer(&f))[1] //nolint:gosec // it is what the driver makes of functions
}

// register makes the way known to SQLite unless it is. What is the default then is what it
// leads to. That two do so at once does no harm: either is as good.
func register() error {
	tls := libc.NewTLS()
	defer tls.Close()
	if rc := sqlite3.Xsqlite3_initialize(tls); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("initialize SQLite: code %d", rc)
	}
	name, err := libc.CString(vfsName)
	if err != nil {
		return err
	}
	if sqlite3.Xsqlite3_vfs_find(tls, name) != 0 {
		libc.Xfree(tls, name)
		return nil
	}
	inner := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if inner == 0 {
		return errors.New("SQLite knows no way to files here")
	}
	place := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(vfs{})))
	if place == 0 {
		return errors.New("there is no memory for SQLite's way to files")
	}
	v := at[vfs](place)
	v.Tsqlite3_vfs = *at[sqlite3.Tsqlite3_vfs](inner)
	v.inner, v.FzName, v.FpNext = inner, name, 0
	v.FszOsFile = (v.FszOsFile+7)&^7 + int32(unsafe.Sizeof(summed{}))
	v.FxOpen = address(openFile)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, place, 0); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("register a way to files with SQLite: code %d", rc)
	}
	return nil
}

// openFile opens a file and, when it is a database's, puts the methods of this package in
// front.
func openFile(tls *libc.TLS, self, name, file uintptr, flags int32, outFlags uintptr) int32 {
	v := at[vfs](self)
	rc := function[openFunc](at[sqlite3.Tsqlite3_vfs](v.inner).FxOpen)(tls, v.inner, name, file, flags, outFlags)
	if rc != sqlite3.SQLITE_OK || flags&sqlite3.SQLITE_OPEN_MAIN_DB == 0 {
		return rc
	}
	f := at[sqlite3.Tsqlite3_file](file)
	place := file + uintptr(v.FszOsFile) - unsafe.Sizeof(summed{})
	s := at[summed](place)
	*s = summed{Tsqlite3_io_methods: *at[sqlite3.Tsqlite3_io_methods](f.FpMethods), inner: f.FpMethods}
	s.FiVersion = min(s.FiVersion, 2) // without what maps the file into memory, past these methods
	s.FxRead, s.FxWrite, s.FxDeviceCharacteristics = address(readFile), address(writeFile), address(fileTraits)
	f.FpMethods = place
	return rc
}

// of returns what is kept with a file, and the system's methods of it.
func of(file uintptr) (*summed, *sqlite3.Tsqlite3_io_methods) {
	s := at[summed](at[sqlite3.Tsqlite3_file](file).FpMethods)
	return s, at[sqlite3.Tsqlite3_io_methods](s.inner)
}

// readFile reads and, when it is a page, compares it with its checksum. What is shorter is
// the header, which SQLite reads before it has a lock and believes only until it reads the
// first page whole.
func readFile(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	s, inner := of(file)
	rc := function[pageFunc](inner.FxRead)(tls, file, data, n, offset)
	if rc != sqlite3.SQLITE_OK && rc != sqlite3.SQLITE_IOERR_SHORT_READ {
		return rc
	}
	b := bytesAt(data, n)
	if offset == 0 && claims(b) {
		s.sealed = 1
	}
	number, ok := isPage(len(b), offset)
	switch {
	case !ok:
		return rc
	case sealed(b, number):
		// Whatever the header says: a log may have a newer one than the file.
		s.sealed = 1
		return rc
	case s.sealed == 0:
		if number == 1 && sealedFirst(b) {
			return sqlite3.SQLITE_IOERR_DATA
		}
		return rc
	case rc == sqlite3.SQLITE_IOERR_SHORT_READ && empty(b):
		return rc // beyond the end, which SQLite judges
	}
	return sqlite3.SQLITE_IOERR_DATA
}

func empty(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// writeFile seals a page and writes it. SQLite keeps nothing where the checksum goes.
func writeFile(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	s, inner := of(file)
	b := bytesAt(data, n)
	if offset == 0 && claims(b) {
		s.sealed = 1
	}
	if number, ok := isPage(len(b), offset); ok && s.sealed != 0 {
		seal(b, number)
	}
	return function[pageFunc](inner.FxWrite)(tls, file, data, n, offset)
}

// fileTraits are the system's but for one: SQLite must not read parts of pages.
func fileTraits(tls *libc.TLS, file uintptr) int32 {
	_, inner := of(file)
	return function[traitsFunc](inner.FxDeviceCharacteristics)(tls, file) &^ sqlite3.SQLITE_IOCAP_SUBPAGE_READ
}
