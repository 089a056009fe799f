package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonNoAuditRecords is given when nothing that can be searched is kept.
const ReasonNoAuditRecords fault.Reason = "NO_AUDIT_RECORDS"

// MaxPage is how many records one page has at most.
const MaxPage = 1000

// Filter chooses records. Zero fields choose all.
type Filter struct {
	From, Until time.Time // at or after, and before
	Kind        Kind
	User        int64
	SystemUser  string
	Party       int64 // whose the resource is
	Resource    string
	Action      string
	Decision    string
	Oldest      bool // first; else the latest
	After       Mark // after which of the previous page
}

// Mark is the place of a record in the order of time. The zero Mark is before all.
type Mark struct{ At, Node int64 }

// String returns the mark as the id of its record.
func (m Mark) String() string {
	if m.Node == 0 {
		return strconv.FormatInt(m.At, 10)
	}
	return strconv.FormatInt(m.At, 10) + "-" + strconv.FormatInt(m.Node, 10)
}

// ParseMark returns the mark of an id; the empty one is of the zero Mark.
func ParseMark(id string) (m Mark, ok bool) {
	if id == "" {
		return Mark{}, true
	}
	at, node, shared := strings.Cut(id, "-")
	var err error
	if m.At, err = strconv.ParseInt(at, 10, 64); err != nil || m.At <= 0 {
		return Mark{}, false
	}
	if shared {
		if m.Node, err = strconv.ParseInt(node, 10, 64); err != nil || m.Node <= 0 {
			return Mark{}, false
		}
	}
	return m, true
}

// where returns the condition of a filter and its arguments.
func (f *Filter) where() (string, []any) {
	var terms []string
	var args []any
	term := func(text string, values ...any) {
		terms = append(terms, text)
		args = append(args, values...)
	}
	if !f.From.IsZero() {
		term("at >= ?", f.From.UnixNano())
	}
	if !f.Until.IsZero() {
		term("at < ?", f.Until.UnixNano())
	}
	if f.User != 0 {
		term("user_id = ? AND user_id <> 0", f.User) // the index has no others
	}
	if f.Party != 0 {
		term("party_id = ? AND party_id <> 0", f.Party)
	}
	for _, text := range []struct{ column, value string }{
		{"kind", string(f.Kind)}, {"system_user", strings.ToLower(f.SystemUser)}, {"resource", f.Resource},
		{"action", f.Action}, {"decision", f.Decision},
	} {
		if text.value != "" {
			term(text.column+" = ?", text.value)
		}
	}
	if a := f.After; a != (Mark{}) {
		if f.Oldest {
			term("at >= ? AND (at > ? OR node > ?)", a.At, a.At, a.Node)
		} else {
			term("at <= ? AND (at < ? OR node < ?)", a.At, a.At, a.Node)
		}
	}
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

// Search returns at most limit records, in the order of time, and whether there are more.
func (l *Log) Search(ctx context.Context, f Filter, limit int) (found []Entry, more bool, err error) {
	if l == nil || l.table == nil {
		return nil, false, fault.New(fault.Precondition, ReasonNoAuditRecords,
			"this server keeps no audit records that can be searched: it was started without the sink records in --audit")
	}
	where, args := f.where()
	order := " ORDER BY at DESC, node DESC"
	if f.Oldest {
		order = " ORDER BY at, node"
	}
	db, dialect, err := l.table.read()
	if err != nil {
		return nil, false, fmt.Errorf("search the audit records: %w", err)
	}
	result, err := db.QueryContext(ctx, dialect("SELECT at, node, record FROM audit"+where+order+" LIMIT ?"), append(args, limit+1)...)
	if err != nil {
		return nil, false, fmt.Errorf("search the audit records: %w", err)
	}
	defer result.Close()
	for result.Next() {
		if len(found) == limit {
			return found, true, nil
		}
		var m Mark
		var text []byte
		if err := result.Scan(&m.At, &m.Node, &text); err != nil {
			return nil, false, fmt.Errorf("read an audit record: %w", err)
		}
		var e Entry
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, false, fmt.Errorf("read audit record %s: %w", m, err)
		}
		e.ID = m.String()
		found = append(found, e)
	}
	if err := result.Err(); err != nil {
		return nil, false, fmt.Errorf("search the audit records: %w", err)
	}
	return found, false, nil
}
