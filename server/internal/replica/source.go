package replica

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/tuples"
)

// Both statements return rows of the same columns: one that says what the statement saw, and
// one for each relationship. One statement sees one state, which it names itself.
const (
	// seen is the first of them. A database that is a copy of another lags behind it. A server
	// that survives the crash of one of its processes forgets what it had not written to its
	// log, the numbers of transactions included; its counters then begin anew.
	seen = `SELECT 2::int4, pg_current_snapshot()::text, extract(epoch FROM pg_postmaster_start_time())::text || '/' ||
		coalesce(extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text, ''),
	coalesce((SELECT encode(hash, 'hex') FROM schema_revision WHERE deleted_xid = '9223372036854775807'::xid8
		ORDER BY created_xid DESC LIMIT 1), ''),
	pg_is_in_recovery()::text, %s, '', '', '', (extract(epoch FROM clock_timestamp()) * 1000000)::int8`

	columns = `namespace, object_id, relation, userset_namespace, userset_object_id, userset_relation,
	coalesce(caveat_name, ''), coalesce(caveat_context::text, ''), (extract(epoch FROM expiration) * 1000000)::int8
	FROM relation_tuple`

	// loadText reads all.
	loadText = seen + ` UNION ALL SELECT 1::int4, ` + columns + ` WHERE deleted_xid = '9223372036854775807'::xid8`

	// newsText reads what transactions did that had not ended when $1 was next and $2 were
	// open. A row that is there and was not is alive, or made and ended since. Ended rows are
	// looked for one transaction at a time: for a list of them Postgres may read an index of
	// all rows.
	newsText = `WITH missing AS MATERIALIZED (
	SELECT xid FROM relation_tuple_transaction WHERE xid >= $1::xid8
	UNION ALL SELECT xid FROM relation_tuple_transaction WHERE xid = ANY($2::xid8[]) AND xid < $1::xid8)
` + seen + ` UNION ALL SELECT (deleted_xid = '9223372036854775807'::xid8)::int4, ` + columns + `
	WHERE created_xid = ANY(ARRAY(SELECT xid FROM missing))
UNION ALL SELECT 0::int4, ` + columns + `
	JOIN missing ON deleted_xid = xid WHERE deleted_xid < '9223372036854775807'::xid8`

	// estimate is about how many rows there are to load.
	estimate = `(SELECT greatest(reltuples, 0)::int8::text FROM pg_class WHERE oid = 'relation_tuple'::regclass)`
	// rewritten says whether the schema is among what the missing transactions wrote.
	rewritten = `(EXISTS (SELECT FROM schema_revision WHERE created_xid = ANY(ARRAY(SELECT xid FROM missing))))::text`
)

// What a row is.
const (
	rowDead = iota
	rowAlive
	rowSeen
)

// sight is what a statement saw.
type sight struct {
	horizon horizon
	server  string    // when the database's server was started
	schema  string    // the hash of the schema, empty when there is none
	at      time.Time // the database's time
	extra   string    // what the statement says beside
}

// errStandby is returned by a database that only follows another, whose last writes it may
// not have.
var errStandby = errors.New("the database is a standby, which may lag behind its primary")

// silence is how long the database may say nothing while it reads.
const silence = 15 * time.Second

// source asks the database. It is for one goroutine at a time.
type source struct {
	uri  string
	conn *pgx.Conn // nil when there is none
}

// connect returns a connection that only reads, with settings of its own.
func (s *source) connect(ctx context.Context, settings map[string]string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.uri)
	if err != nil {
		return nil, fmt.Errorf("read the name of the Postgres database: %w", err) // pgx takes the password out
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = silence
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "behalf replica"
	}
	config.RuntimeParams["default_transaction_read_only"] = "on"
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["jit"] = "off" // which takes longer than the question
	for name, value := range settings {
		config.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	return conn, nil
}

// close closes the connection, if there is one.
func (s *source) close() {
	if s.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.conn.Close(ctx) // it carries no data
		s.conn = nil
	}
}

// load tells each of all relationships, and returns what it saw.
func (s *source) load(ctx context.Context, began func(about string), each func(*graph.Tuple) error) (sight, error) {
	conn, err := s.connect(ctx, nil)
	if err != nil {
		return sight{}, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // it carries no data
	return read(ctx, conn, fmt.Sprintf(loadText, estimate), began, func(_ int, t *graph.Tuple) error { return each(t) })
}

// news tells the relationships that transactions wrote or ended which a horizon does not
// see, and returns what it saw. A relationship is alive when any of its rows is. The schema
// may have changed when sight.extra is "true".
func (s *source) news(ctx context.Context, since horizon, each func(row int, t *graph.Tuple) error) (sight, error) {
	if s.conn == nil {
		// The plan must not depend on what Postgres believes of rows that have just been
		// written: with all of these tables' indexes there is one right one.
		conn, err := s.connect(ctx, map[string]string{"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"})
		if err != nil {
			return sight{}, err
		}
		s.conn = conn
	}
	open := since.open
	if open == nil {
		open = []uint64{}
	}
	saw, err := read(ctx, s.conn, fmt.Sprintf(newsText, rewritten), nil, each, since.next, open)
	if err != nil {
		s.close()
	}
	return saw, err
}

// read runs one of the statements.
func read(ctx context.Context, conn *pgx.Conn, text string, began func(string), each func(row int, t *graph.Tuple) error, args ...any) (saw sight, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the database has said nothing for %s", silence)) })
	defer watchdog.Stop()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
	}()
	rows, err := conn.Query(ctx, text, append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...)
	if err != nil {
		return saw, fmt.Errorf("read relationships: %w", err)
	}
	defer rows.Close()
	var (
		words = make(words)
		t     graph.Tuple
		told  bool
	)
	for n := 1; rows.Next(); n++ {
		if n%1000 == 0 {
			watchdog.Reset(silence)
		}
		raw := rows.RawValues()
		what := int(binary.BigEndian.Uint32(raw[0]))
		if what == rowSeen {
			if saw, err = sightOf(raw); err != nil {
				return saw, err
			}
			told = true
			if began != nil {
				began(saw.extra)
			}
			continue
		}
		if err := words.tuple(&t, raw); err != nil {
			return saw, err
		}
		if err := each(what, &t); err != nil {
			return saw, err
		}
	}
	if err := rows.Err(); err != nil {
		return saw, fmt.Errorf("read relationships: %w", err)
	}
	if !told {
		return saw, errors.New("the database does not say what it saw")
	}
	return saw, nil
}

// sightOf reads the row that says what a statement saw.
func sightOf(raw [][]byte) (s sight, err error) {
	if string(raw[4]) != "false" {
		return s, errStandby
	}
	if s.horizon, err = parseHorizon(string(raw[1])); err != nil {
		return s, err
	}
	hash, err := hex.DecodeString(string(raw[3]))
	if err != nil {
		return s, fmt.Errorf("read the hash of the schema: %w", err)
	}
	s.server, s.schema, s.extra, s.at = string(raw[2]), string(hash), string(raw[5]), instant(raw[9])
	return s, nil
}

// instant reads a time in microseconds.
func instant(raw []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(raw))).UTC()
}

// words is the names of definitions and relations, each once.
type words map[string]string

func (w words) of(raw []byte) string {
	if have, ok := w[string(raw)]; ok {
		return have
	}
	text := string(raw)
	w[text] = text
	return text
}

// ellipsis is what SpiceDB writes for the relation of a subject that has none.
const ellipsis = "..."

// tuple reads the row of a relationship.
func (w words) tuple(t *graph.Tuple, raw [][]byte) error {
	*t = graph.Tuple{Caveat: w.of(raw[7])}
	t.Resource.Type, t.Resource.ID, t.Relation = w.of(raw[1]), string(raw[2]), w.of(raw[3])
	t.Subject.Type, t.Subject.ID = w.of(raw[4]), string(raw[5])
	if rel := w.of(raw[6]); rel != ellipsis {
		t.Subject.Relation = rel
	}
	if raw[9] != nil {
		t.Expires = instant(raw[9])
	}
	if t.Caveat == "" || len(raw[8]) == 0 {
		return nil
	}
	var context structpb.Struct
	err := protojson.Unmarshal(raw[8], &context)
	if err == nil {
		t.Context, err = tuples.Context(&context)
	}
	if err != nil {
		return fmt.Errorf("read the context of %s: %w", t, err)
	}
	return nil
}
