package outbox

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// intent is a write that is under way.
type intent struct {
	number     int64 // 0 until it is kept
	operation  string
	updates    []relation.Update
	statements statements

	attempts int   // how often its end has failed
	early    bool  // it is not to be tried yet
	broken   error // why it cannot be read
}

// statements are executed one after another. Texts are kept once each: an import repeats a
// few of them thousands of times.
type statements struct {
	Texts []string `json:"texts"`
	Runs  []run    `json:"runs"`
	index map[string]int
}

type run struct {
	Text int     `json:"text"`
	Args []value `json:"args"`
}

// add notes a statement.
func (s *statements) add(text string, args []any) error {
	if s.index == nil {
		s.index = make(map[string]int)
	}
	n, ok := s.index[text]
	if !ok {
		n = len(s.Texts)
		s.index[text] = n
		s.Texts = append(s.Texts, text)
	}
	r := run{Text: n, Args: make([]value, len(args))}
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return fmt.Errorf("note argument %d of %q: %w", i+1, text, err)
		}
		r.Args[i] = value{v}
	}
	s.Runs = append(s.Runs, r)
	return nil
}

// batch returns them, from one on, for sending at once.
func (s *statements) batch(from int) (*pgx.Batch, error) {
	b := &pgx.Batch{}
	for _, r := range s.Runs[from:] {
		if r.Text < 0 || r.Text >= len(s.Texts) {
			return nil, fmt.Errorf("there is no statement %d", r.Text)
		}
		args := make([]any, len(r.Args))
		for i, a := range r.Args {
			args[i] = a.v
		}
		b.Queue(s.Texts[r.Text], args...)
	}
	return b, nil
}

// value is an argument: nil, bool, int64, string or []byte. In JSON integers are numbers,
// and bytes an object, {"bytes": base64}.
type value struct{ v any }

type bytesValue struct {
	Bytes []byte `json:"bytes"`
}

// MarshalJSON implements json.Marshaler.
func (v value) MarshalJSON() ([]byte, error) {
	switch x := v.v.(type) {
	case nil, bool, int64, string:
		return json.Marshal(x)
	case []byte:
		return json.Marshal(bytesValue{x})
	}
	return nil, fmt.Errorf("a %T cannot be kept in an intent", v.v)
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *value) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("{")) {
		var b bytesValue
		err := json.Unmarshal(text, &b)
		v.v = b.Bytes
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v.v); err != nil {
		return err
	}
	if n, ok := v.v.(json.Number); ok {
		i, err := n.Int64()
		v.v = i
		return err
	}
	return nil
}

// update is relation.Update in JSON.
type update struct {
	Touch    bool       `json:"touch"`
	Resource [2]string  `json:"resource"`
	Relation string     `json:"relation"`
	Subject  [3]string  `json:"subject"`
	Expires  *time.Time `json:"expires,omitempty"`
}

func encodeUpdates(updates []relation.Update) ([]byte, error) {
	out := make([]update, len(updates))
	for i, u := range updates {
		r := u.Relationship
		out[i] = update{
			Touch:    u.Op == relation.Touch,
			Resource: [2]string{r.Resource.Type, r.Resource.ID},
			Relation: r.Relation,
			Subject:  [3]string{r.Subject.Type, r.Subject.ID, r.Subject.Relation},
		}
		if !r.Expires.IsZero() {
			out[i].Expires = &r.Expires
		}
	}
	return json.Marshal(out)
}

func decodeUpdates(text []byte) ([]relation.Update, error) {
	var in []update
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	updates := make([]relation.Update, len(in))
	for i, u := range in {
		r := relation.Relationship{
			Resource: relation.Object{Type: u.Resource[0], ID: u.Resource[1]},
			Relation: u.Relation,
			Subject:  relation.Subject{Object: relation.Object{Type: u.Subject[0], ID: u.Subject[1]}, Relation: u.Subject[2]},
		}
		if u.Expires != nil {
			r.Expires = *u.Expires
		}
		updates[i] = relation.Update{Op: relation.Delete, Relationship: r}
		if u.Touch {
			updates[i].Op = relation.Touch
		}
	}
	return updates, nil
}

// keep writes the intent down.
func (i *intent) keep(ctx context.Context, tx pgx.Tx) error {
	updates, err := encodeUpdates(i.updates)
	if err != nil {
		return err
	}
	statements, err := json.Marshal(&i.statements)
	if err != nil {
		return err
	}
	return tx.QueryRow(ctx, "INSERT INTO intent (operation, updates, statements) VALUES ($1, $2, $3) RETURNING number",
		i.operation, updates, statements).Scan(&i.number)
}

// lowest returns the intent that is to be finished first, nil when there is none: parked ones
// wait for an operator.
func lowest(ctx context.Context, conn interface {
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}) (*intent, error) {
	var (
		i                   intent
		updates, statements []byte
	)
	err := conn.QueryRow(ctx, `SELECT number, operation, updates, statements, attempts, coalesce(retry > clock_timestamp(), false)
		FROM intent WHERE parked IS NULL ORDER BY number LIMIT 1`).
		Scan(&i.number, &i.operation, &updates, &statements, &i.attempts, &i.early)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is under way: %w", err)
	}
	if i.updates, err = decodeUpdates(updates); err == nil {
		err = json.Unmarshal(statements, &i.statements)
	}
	if err != nil {
		i.broken = fmt.Errorf("read intent %d: %w", i.number, err)
	}
	return &i, nil
}

// drop forgets the intent.
func (i *intent) drop(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "DELETE FROM intent WHERE number = $1", i.number); err != nil {
		return fmt.Errorf("drop intent %d: %w", i.number, err)
	}
	return nil
}
