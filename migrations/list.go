package migrations

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Migration is one numbered file.
type Migration struct {
	Number int
	Name   string // the file's, without its directory
	Oldest int    // the oldest program that can run on a database after it
	Text   string
}

// OfSQLite returns the migrations of a SQLite database, in order.
func OfSQLite() ([]Migration, error) { return Read(SQLite, "sqlite") }

// OfPostgres returns the migrations of a Postgres database, in order.
func OfPostgres() ([]Migration, error) { return Read(Postgres, "postgres") }

// OfAudit returns the migrations of the SQLite file of the audit records, in order.
func OfAudit() ([]Migration, error) { return Read(Audit, "audit") }

// Read reads the files of a directory. Their numbers begin at one and leave none out.
func Read(files fs.FS, dir string) ([]Migration, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.sql"))
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	list := make([]Migration, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read a migration: %w", err)
		}
		if list[i], err = parse(i+1, path.Base(name), string(text)); err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return list, nil
}

// header begins the first line of a file.
const header = "-- oldest: "

func parse(number int, name, text string) (Migration, error) {
	if !strings.HasPrefix(name, fmt.Sprintf("%04d_", number)) {
		return Migration{}, fmt.Errorf("number %d is missing", number)
	}
	first, _, _ := strings.Cut(text, "\n")
	value, found := strings.CutPrefix(strings.TrimSpace(first), header)
	oldest, err := strconv.Atoi(value)
	if !found || err != nil || oldest < 1 || oldest > number {
		return Migration{}, fmt.Errorf("its first line must be `%sN`, N from 1 to %d: the newest migration that the oldest program has "+
			"which can run on the database after it", header, number)
	}
	return Migration{number, name, oldest, text}, nil
}

// State is how far a database has come. The zero State is an empty one.
type State struct {
	Version int // the number of the newest migration that it has seen
	Oldest  int // the oldest program that can run on it
}

// After returns the state after more migrations.
func (s State) After(list ...Migration) State {
	for _, m := range list {
		s.Version, s.Oldest = max(s.Version, m.Number), max(s.Oldest, m.Oldest)
	}
	return s
}

// Pending returns those of a program's migrations that the database has not seen.
func (s State) Pending(list []Migration) []Migration { return list[min(s.Version, len(list)):] }

// Admit refuses a program that is too old for the database, with a *TooOldError. known is
// how many migrations the program has. One that knows more than the database has seen is
// admitted, and has to migrate it first.
func (s State) Admit(known int) error {
	if s.Oldest > known {
		return &TooOldError{"database", s, known}
	}
	return nil
}

// TooOldError is returned to a program that cannot run on a database.
type TooOldError struct {
	What  string // is too new
	State State
	Known int // how many migrations the program has
}

// Error names both.
func (e *TooOldError) Error() string {
	return fmt.Sprintf("the %s is of version %d, which needs a program that knows version %d or newer; this one knows version %d: use a newer release",
		e.What, e.State.Version, e.State.Oldest, e.Known)
}
