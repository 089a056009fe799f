package register

import (
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// maxRefusals is how many refused entries an outcome names. It counts all.
const maxRefusals = 1000

// Counts are what a write did to one kind of entry of one source.
type Counts struct {
	Added, Changed, Unchanged, Removed, Refused int64
}

// SourceOutcome is what an import did to one source.
type SourceOutcome struct {
	Source      string
	Parties     Counts // main-unit links included
	Assignments Counts
	Delegations Counts
	Others      []registry.Counts // of the kinds that the source has
	Unreadable  int64             // entries that the reader could not make out; in no other count

	recorded int64 // parties, assignments and delegations of the source before
}

// removed is how much the source no longer asserts.
func (o *SourceOutcome) removed() int64 {
	n := o.Parties.Removed + o.Assignments.Removed + o.Delegations.Removed
	for _, c := range o.Others {
		n += c.Removed
	}
	return n
}

// Refusal is a field of an entry that was not taken.
type Refusal struct {
	File    string
	Line    int64
	Field   string
	Message string
}

// Outcome is what an import did, or would do.
type Outcome struct {
	Sources  []SourceOutcome // in the header's order
	Refusals []Refusal       // at most 1,000, by file and line as they were found
	DryRun   bool
	Revision relation.Revision // after the last write; empty when nothing was written
}

// kind of an entry.
type entryKind uint8

const (
	ofParty entryKind = iota + 1
	ofAssignment
	ofDelegation
)

// report counts what becomes of entries.
type report struct {
	sources  []SourceOutcome
	refusals []Refusal
	wrong    faults // of the first refused entry
}

func newReport(sources []string) *report {
	r := &report{sources: make([]SourceOutcome, len(sources))}
	for i, source := range sources {
		r.sources[i].Source = source
	}
	return r
}

func (r *report) counts(source int, kind entryKind) *Counts {
	switch kind {
	case ofParty:
		return &r.sources[source].Parties
	case ofDelegation:
		return &r.sources[source].Delegations
	case ofAssignment:
	}
	return &r.sources[source].Assignments
}

// refuse counts an entry as refused and says why, by field.
func (r *report) refuse(at place, kind entryKind, wrong faults) {
	r.counts(at.source, kind).Refused++
	if len(r.wrong) == 0 {
		r.wrong = wrong
	}
	for _, w := range wrong {
		r.name(at, w.Field, w.Message)
	}
}

func (r *report) name(at place, field, message string) {
	if len(r.refusals) < maxRefusals {
		r.refusals = append(r.refusals, Refusal{File: cut(at.file), Line: at.line, Field: cut(field), Message: cut(message)})
	}
}

// cut shortens a text of a caller, so that an outcome fits into one message.
func cut(s string) string {
	const most = 512
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// fault is the refusal of a write of one entry, nil when it was taken. under is the field
// of the request that holds the entry.
func (r *report) fault(under string) error {
	if len(r.wrong) == 0 {
		return nil
	}
	first := r.wrong[0]
	e := fault.Field(under+"."+first.Field, "%s", first.Message)
	e.Kind, e.Reason = first.kind, first.reason
	for _, w := range r.wrong[1:] {
		e.Violations = append(e.Violations, fault.Violation{Field: under + "." + w.Field, Message: w.Message})
	}
	return e
}

// quote shows a text of a caller in a message, shortened.
func quote(s string) string {
	const most = 80
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
}
