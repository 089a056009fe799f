package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// Verified is what a database that holds together has.
type Verified struct {
	Revision      uint64 // the newest
	Revisions     int    // how many were compared with their checksums
	Relationships int    // live at the newest
	Explained     int    // of those, how many follow from the records of parties
	Sealed        bool   // its pages have checksums, which were compared
	Audited       int    // records of decisions, in a data directory
}

// VerifyDataDir verifies the databases of a data directory that no server has open: see
// VerifyFile, and the records of decisions, every page and record.
func VerifyDataDir(ctx context.Context, dir string, progress func(done, total int)) (_ Verified, err error) {
	path := filepath.Join(dir, databaseName)
	if _, err := os.Stat(path); err != nil {
		return Verified{}, fmt.Errorf("the data directory has no database: %w", err)
	}
	release, err := store.Hold(dir)
	if err != nil {
		return Verified{}, err
	}
	defer func() { err = errors.Join(err, release()) }()
	found, err := VerifyFile(ctx, path, progress)
	if err != nil {
		return found, err
	}
	if found.Audited, err = verifyAudit(ctx, dir); err != nil {
		err = fmt.Errorf("verify: %w", err)
	}
	return found, err
}

// VerifyFile reads a database whole, such as a backup, and fails with the first thing in it
// that cannot be: a broken page, a row that says what no row can, live relationships that
// are not those of a revision's checksum, and records without the relationships that follow
// from them. The error names file and table. Nothing is changed.
func VerifyFile(ctx context.Context, path string, progress func(done, total int)) (Verified, error) {
	catalogue, err := roles.Load()
	if err != nil {
		return Verified{}, fmt.Errorf("load the role catalogue: %w", err)
	}
	explained := 0
	found, err := store.Verify(ctx, path, progress, func(tx *sql.Tx, head *graph.Snapshot) (err error) {
		explained, err = register.Verify(ctx, records.Inspect(ctx, tx), catalogue, time.Now(),
			func(r relation.Relationship) bool { return has(head, r) })
		if missing, ok := errors.AsType[*register.MissingError](err); ok {
			return &store.DamagedError{File: path, Table: "tuple", Why: missing.Error()}
		}
		return err
	})
	if err != nil {
		return Verified{}, fmt.Errorf("verify: %w", err)
	}
	return Verified{
		Revision: found.Revision, Revisions: found.Revisions, Relationships: found.Relationships, Explained: explained, Sealed: found.Sealed,
	}, nil
}

// has reports whether a graph has the relationship, ending when it should.
func has(s *graph.Snapshot, r relation.Relationship) bool {
	resource, ok1 := s.Node(r.Resource.Type, r.Resource.ID)
	subject, ok2 := s.Node(r.Subject.Type, r.Subject.ID)
	rel, ok3 := s.Rel(r.Resource.Type, r.Relation)
	kind, ok4 := s.Rel(r.Subject.Type, r.Subject.Relation)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return false
	}
	if _, ok := s.HasEdge(resource, rel, subject, kind); !ok {
		return false
	}
	var expires time.Time
	if p := s.Payload(resource, rel, subject, kind); p != nil {
		expires = p.Expires
	}
	return expires.Equal(r.Expires)
}
