package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/behalf-authz/behalf/migrations"
)

// Inspect returns a connection that can only read the file, and leaves it as it is. It can
// be copied from. The file must exist.
func Inspect(path string) (*sql.DB, error) {
	if err := register(); err != nil {
		return nil, err
	}
	options := url.Values{
		"vfs":           {vfsName},
		"mode":          {"ro"},
		"_busy_timeout": {"10000"},
		"_pragma":       {"cache_size(-65536)", "temp_store(memory)"},
	}
	name := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
	db, err := sql.Open("sqlite", name+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// CheckVersion refuses a database that is not Behalf's, one that lacks migrations of this
// program, and one that this program is too old for.
func CheckVersion(ctx context.Context, db *sql.DB) error {
	list, err := migrations.OfSQLite()
	if err != nil {
		return err
	}
	have, err := State(ctx, db)
	switch {
	case err != nil:
		return err
	case have.Version == 0:
		return errors.New("the database is empty")
	case have.Version < len(list):
		return fmt.Errorf("the database is of version %d, this program writes %d: use the release that wrote it", have.Version, len(list))
	}
	return have.Admit(len(list))
}
