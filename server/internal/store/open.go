package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

var _ datastore.Datastore = (*Store)(nil)

// keyID names the row of the table store with the unique id.
const keyID = "unique_id"

// Open takes the data directory, opens the file or makes it, migrates it, and loads what is
// live in it. It starts the one goroutine that commits and the one that removes what is too
// old; Close ends them.
func Open(ctx context.Context, c Config) (*Store, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: c, jobs: make(chan *job, maxGroup), stop: make(chan struct{}), backup: make(chan struct{}, 1)}
	if s.past, err = newPast(c); err != nil {
		return nil, err
	}
	s.w = writer{path: c.Path, prepared: make(map[string]*sql.Stmt), words: make(map[word]int64)}
	begun := time.Now()
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	head := s.graph.Head()
	c.Logger.InfoContext(ctx, "store opened", "path", c.Path, "relationships", head.Tuples(),
		"revision", head.Revision(), "took", time.Since(begun).Round(time.Millisecond))
	s.stopped.Go(s.commitLoop)
	s.stopped.Go(s.sweepLoop)
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.lock, err = takeLock(filepath.Dir(s.cfg.Path), s.cfg.Address); err != nil {
		return err
	}
	if s.graph, err = graph.New(graph.Config{Age: s.cfg.Memory}); err != nil {
		return err
	}
	if err := makePrivate(s.cfg.Path); err != nil {
		return err
	}
	if err := s.connect(ctx); err != nil {
		if sqlite.IsBroken(err) {
			return damage(ctx, s.cfg.Path, err)
		}
		return fmt.Errorf("open %s: %w", s.cfg.Path, err)
	}
	if err := s.identify(ctx); err != nil {
		return s.unreadable("store", err)
	}
	return s.loadAll(ctx)
}

// loadAll loads relationships and what the caller wants, at once. When both fail it is told why
// there are no relationships: they are loaded behind a check of the file.
func (s *Store) loadAll(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var also error
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		also = s.cfg.Also(ctx, s)
	}()
	if err := s.load(ctx); err != nil {
		cancel()
		<-loaded // it reads from what is given up now
		return err
	}
	<-loaded
	return also
}

// connect opens the file for the committer and for readers, migrates it, and gives its pages
// checksums when it is from before there were any.
func (s *Store) connect(ctx context.Context) (err error) {
	if s.write, err = sqlite.Open(s.cfg.Path, sqlite.Options{}); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if err := s.seal(ctx); err != nil {
		return err
	}
	if s.read, err = sqlite.Open(s.cfg.Path, sqlite.Options{ReadOnly: true, Conns: runtime.GOMAXPROCS(0)}); err != nil {
		return err
	}
	s.w.conn, err = s.write.Conn(ctx)
	return err
}

// seal writes a file anew whose pages have no checksums, when it holds together as far as
// can be told without. It goes on without them when there is no room for that.
func (s *Store) seal(ctx context.Context) error {
	is, err := sqlite.Sealed(ctx, s.write)
	if err != nil || is {
		return err
	}
	if err := s.check(ctx, s.write, "integrity_check"); err != nil {
		return err
	}
	if err := s.write.Close(); err != nil {
		return err
	}
	begun := time.Now()
	switch err := sqlite.Seal(s.cfg.Path); {
	case sqlite.IsFull(err):
		s.cfg.Logger.WarnContext(ctx, "pages of the store stay without checksums", "path", s.cfg.Path, "error", err)
	case err != nil:
		return err
	default:
		s.cfg.Logger.InfoContext(ctx, "pages of the store got checksums", "path", s.cfg.Path, "took", time.Since(begun).Round(time.Millisecond))
	}
	s.write, err = sqlite.Open(s.cfg.Path, sqlite.Options{})
	return err
}

// makePrivate makes the file if there is none, so that only its owner can read it. The
// files that SQLite puts beside it get the same mode.
func makePrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return file.Close()
}

// identify reads who the store is, and makes a new one of a file without rows: it gets an
// id, and a first revision that stands for nothing.
func (s *Store) identify(ctx context.Context) error {
	err := s.w.conn.QueryRowContext(ctx, "SELECT value FROM store WHERE name = ?", keyID).Scan(&s.id)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	s.id = newID()
	tx, err := s.w.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect once committed
	if _, err := tx.ExecContext(ctx, "INSERT INTO store (name, value) VALUES (?, ?)", keyID, s.id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, sqlInsertRevision, 1, time.Now().UnixMicro(), 1, 0, 0, nil); err != nil {
		return err
	}
	return tx.Commit()
}

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// view returns bytes as a text that is good as long as they are.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // the caller reads it before they change
}
