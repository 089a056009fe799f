package follow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/rounds"
)

// Directory is told of parties that have changed.
type Directory interface {
	Load(ctx context.Context, each func(context.Context, func(party.Party) error) error) error
	Apply(puts []party.Party, removes []party.ID)
	IDs() []party.ID
}

// Config is what a Follower works with. All is required.
type Config struct {
	DB        *sql.DB // reads, one state in each transaction
	Records   *records.Store
	Directory Directory
}

// Follower follows the log of changes. It is safe for concurrent use.
type Follower struct {
	db        *sql.DB
	records   *records.Store
	directory Directory
	keys      func(context.Context) error

	looks *rounds.Rounds[struct{}] // at the log
	seen  int64                    // the last change followed; for who has the turn
}

// roundTime bounds a look at the log: no single caller's time does.
const roundTime = 30 * time.Second

// New returns a follower that has followed nothing.
func New(c Config) (*Follower, error) {
	if c.DB == nil || c.Records == nil || c.Directory == nil {
		return nil, errors.New("a follower needs a database, records and a directory")
	}
	f := &Follower{db: c.DB, records: c.Records, directory: c.Directory}
	f.looks = rounds.New(func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, roundTime)
		defer cancel()
		return struct{}{}, f.look(ctx)
	})
	return f, nil
}

// Start loads all parties. From then on CatchUp keeps them; keys is called when keys have
// changed. It comes before the first CatchUp.
func (f *Follower) Start(ctx context.Context, keys func(context.Context) error) error {
	f.keys = keys
	// The place first: what changes while the parties are read is read again.
	if err := f.db.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM change").Scan(&f.seen); err != nil {
		return fmt.Errorf("read the log of changes: %w", err)
	}
	return f.directory.Load(ctx, f.records.Parties)
}

// CatchUp returns when this server knows every write that was acknowledged before it was
// called. The error is an Unavailable fault.
func (f *Follower) CatchUp(ctx context.Context) error {
	round := f.looks.Join(ctx)
	select {
	case <-round.Done():
	case <-ctx.Done():
		return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the call ended before the server was up to date").Because(ctx.Err())
	}
	if _, err := round.Answer(); err != nil {
		return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the database cannot be reached now").Because(err)
	}
	return nil
}

// look reads the log from where it was left, and what has changed.
func (f *Follower) look(ctx context.Context) error {
	// The upper bound holds nothing back. For a range of both ends Postgres expects few rows and
	// takes the index; for one of a single end it expects a third of them and reads all, as long
	// as it has not analyzed the table.
	rows, err := f.db.QueryContext(ctx, `SELECT number, kind, party FROM change WHERE number > $1 AND number <= $2
		UNION ALL SELECT next, 0, 0 FROM sequence WHERE name = 'forgotten' AND next > $1 ORDER BY 1`, f.seen, int64(math.MaxInt64))
	if err != nil {
		return fmt.Errorf("read the log of changes: %w", err)
	}
	defer rows.Close()
	var (
		seen            = f.seen
		keys, forgotten bool
		changed         = make(map[party.ID]bool)
	)
	for rows.Next() {
		var (
			number, id int64
			kind       int
		)
		if err := rows.Scan(&number, &kind, &id); err != nil {
			return fmt.Errorf("read the log of changes: %w", err)
		}
		seen = max(seen, number)
		switch kind {
		case kindParty:
			changed[party.ID(id)] = true
		case kindKeys:
			keys = true
		default:
			forgotten = true
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the log of changes: %w", err)
	}
	if forgotten {
		keys = true
		if err := f.reload(ctx); err != nil {
			return err
		}
	} else if err := f.apply(ctx, changed); err != nil {
		return err
	}
	if keys {
		if err := f.keys(ctx); err != nil {
			return err
		}
	}
	f.seen = seen
	return nil
}

// Kinds of changes, as the log has them.
const (
	kindParty = 1
	kindKeys  = 2
)

// batch is how many parties are read at once.
const batch = 10_000

// apply reads the parties and tells the directory of them.
func (f *Follower) apply(ctx context.Context, changed map[party.ID]bool) error {
	ids := make([]party.ID, 0, min(len(changed), batch))
	flush := func() error {
		var found map[party.ID]party.Party
		err := f.records.Read(ctx, func(tx *records.Tx) (err error) {
			found, err = tx.PartiesByID(ctx, ids)
			return err
		})
		if err != nil {
			return err
		}
		var (
			puts    []party.Party
			removes []party.ID
		)
		for _, id := range ids {
			if p, ok := found[id]; ok {
				puts = append(puts, p)
			} else {
				removes = append(removes, id)
			}
		}
		f.directory.Apply(puts, removes)
		ids = ids[:0]
		return nil
	}
	for id := range changed {
		if ids = append(ids, id); len(ids) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return flush()
}

// reload reads all parties, for a server that was away for longer than the log goes back.
func (f *Follower) reload(ctx context.Context) error {
	all := make(map[party.ID]bool)
	for _, id := range f.directory.IDs() { // those that are gone are found missing
		all[id] = true
	}
	err := f.records.Parties(ctx, func(p party.Party) error {
		all[p.ID] = true
		return nil
	})
	if err != nil {
		return err
	}
	return f.apply(ctx, all)
}
