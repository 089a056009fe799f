package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"modernc.org/libc"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// codeError is an error of a connection without the driver.
type codeError struct {
	code int
	text string
}

// Error says what SQLite says.
func (e *codeError) Error() string { return fmt.Sprintf("%s (%d)", e.text, e.code) }

// code returns SQLite's code of an error, 0 when it is not SQLite's.
func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code()
	}
	if e, ok := errors.AsType[*codeError](err); ok {
		return e.code
	}
	return 0
}

// IsFull reports whether an error says that there was no room for what should be written.
func IsFull(err error) bool { return code(err)&0xff == sqlite3.SQLITE_FULL }

// IsBroken reports whether an error says that a file holds what cannot be: SQLite found it
// malformed, or one of its pages is not what was written.
func IsBroken(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_IOERR_DATA || c&0xff == sqlite3.SQLITE_CORRUPT || c&0xff == sqlite3.SQLITE_NOTADB
}

// Sealed reports whether the pages of a database have checksums.
func Sealed(ctx context.Context, db *sql.DB) (is bool, err error) {
	// A log may have a newer first page than the file.
	err = db.QueryRowContext(ctx, "SELECT substr(data, ?, 1) = ? FROM sqlite_dbpage('main') WHERE pgno = 1",
		reservedAt+1, []byte{sumSize}).Scan(&is)
	return is, err
}

// Seal gives the pages of a database their checksums. It writes the database anew, in one
// transaction, for which there must be room and nobody else may have it open. What it holds
// is taken for what it should hold: check that first.
func Seal(path string) error {
	if err := withRaw(path, "VACUUM"); err != nil {
		return fmt.Errorf("write pages with checksums: %w", err)
	}
	return nil
}

// create makes the first page of a database in an empty file. It says that pages have
// checksums, which cannot be said later, and whose database it is, so that a process that
// ends right after it leaves a file that the next one knows. It also gives the database its
// log: of several connections that first open one without, SQLite tells all but one that it
// is locked, and lets none of them wait.
func create(path string) error {
	text := fmt.Sprintf("PRAGMA busy_timeout = 10000; PRAGMA application_id = %d; PRAGMA journal_mode = WAL", ApplicationID)
	if err := withRaw(path, text); err != nil {
		return fmt.Errorf("make database %q: %w", path, err)
	}
	return nil
}

// isEmpty reports whether a file has nothing in it or is not there.
func isEmpty(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	return err == nil && info.Size() == 0, err
}

// withRaw executes a text on a connection of its own that has asked for the room of
// checksums, which the driver has no words for.
func withRaw(path, text string) (err error) {
	if err := register(); err != nil {
		return err
	}
	tls := libc.NewTLS()
	defer tls.Close()
	var held []uintptr
	defer func() {
		for _, p := range held {
			libc.Xfree(tls, p)
		}
	}()
	var texts [3]uintptr
	for i, s := range []string{path, vfsName, text} {
		if texts[i], err = libc.CString(s); err != nil {
			return err
		}
		held = append(held, texts[i])
	}
	place := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(uintptr(0))))
	if place == 0 {
		return &codeError{sqlite3.SQLITE_NOMEM, "out of memory"}
	}
	held = append(held, place)
	rc := sqlite3.Xsqlite3_open_v2(tls, texts[0], place, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE, texts[1])
	db := *at[uintptr](place)
	defer func() {
		if rc := sqlite3.Xsqlite3_close_v2(tls, db); rc != sqlite3.SQLITE_OK && err == nil {
			err = &codeError{int(rc), "close"}
		}
	}()
	if rc != sqlite3.SQLITE_OK {
		return failed(tls, db)
	}
	*at[int32](place) = sumSize
	if rc := sqlite3.Xsqlite3_file_control(tls, db, 0, sqlite3.SQLITE_FCNTL_RESERVE_BYTES, place); rc != sqlite3.SQLITE_OK {
		return &codeError{int(rc), "reserve room for checksums"}
	}
	if rc := sqlite3.Xsqlite3_exec(tls, db, texts[2], 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return failed(tls, db)
	}
	return nil
}

// failed returns why the last call of a connection failed.
func failed(tls *libc.TLS, db uintptr) error {
	return &codeError{int(sqlite3.Xsqlite3_extended_errcode(tls, db)), libc.GoString(sqlite3.Xsqlite3_errmsg(tls, db))}
}
