// Package sqlite opens SQLite databases the way Behalf keeps them, and migrates them.
//
// It owns what every connection is set to, the application id by which a file is known to
// be Behalf's, the checksums of its pages, and the run of the migrations. It refuses rows:
// server/internal/store and server/internal/records, its callers, own those.
//
// # Pages
//
// A database that Open makes keeps eight bytes free at the end of each page, and says so at
// byte 20 of its header. There goes a checksum of the page and its number, set whenever the
// page is written to the file and compared whenever it is read from it, by every connection
// of this package, and so by a backup, a restore and a verification. A page that differs is
// never handed on: SQLite says "disk I/O error (8202)", and BrokenPage which page it was. In
// between, a page that was changed is in SQLite's log, which has checksums of its own.
//
// Another program can read such a database. What it writes is taken for damage: it knows
// nothing of the checksums. A database of an older release has none; it is read as it is
// until Seal writes it anew.
package sqlite
