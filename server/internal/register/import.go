package register

import (
	"context"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

const (
	// MaxEntries is how many entries an import may have. They are held in memory until the
	// file has ended: parties at some 100 bytes each, assignments at 40.
	MaxEntries = 20_000_000
	// MaxSources is how many sources an import may have.
	MaxSources = 16

	// removalsPerCent is how much of a source an import removes without being told to.
	removalsPerCent = 5
)

// Header opens an import.
type Header struct {
	Sources       []string // whose whole truth follows
	AddOnly       bool     // remove nothing
	DryRun        bool     // write nothing
	AllowRemovals bool     // remove any part of a source
}

// Entry is one entry of a file: exactly one of Party, Assignment, Delegation, Registered and
// Unreadable is set.
type Entry struct {
	File       string
	Line       int64
	Party      *PartyRecord
	Assignment *AssignmentRecord
	Delegation *DelegationRecord
	Registered *registry.Entry
	Unreadable *Unreadable
}

// Unreadable is an entry that the reader of the file could not make out.
type Unreadable struct {
	Reference string // the party it was about, as ParseReference reads it; empty when unknown
	Field     string
	Message   string
}

// Phase is a part of an import.
type Phase uint8

// The phases, in order.
const (
	Reading Phase = iota + 1
	Comparing
	Writing
)

// Progress says how far an import has come.
type Progress struct {
	Phase Phase
	Done  int64
	Total int64 // 0 when not known
}

// Import is an import under way. It is for one goroutine.
type Import struct {
	service *Service
	header  Header
	draft   *draft
	report  *report
	others  *others
	read    int64
	closed  bool
}

// Begin opens an import. There is one at a time; Close ends it.
func (s *Service) Begin(h Header) (*Import, error) {
	if len(h.Sources) == 0 || len(h.Sources) > MaxSources {
		return nil, fault.Field("header.sources", "must name 1 to %d sources", MaxSources)
	}
	sources := slices.Clone(h.Sources)
	slices.Sort(sources)
	if len(slices.Compact(sources)) != len(h.Sources) {
		return nil, fault.Field("header.sources", "must name each source once")
	}
	if !s.importing.CompareAndSwap(false, true) {
		return nil, fault.New(fault.Aborted, ReasonImportRunning, "another import is running; wait for it to end")
	}
	return &Import{
		service: s, header: h, draft: s.draft(h.Sources, !h.AddOnly), report: newReport(h.Sources), others: s.others(h),
	}, nil
}

// Close ends the import, whether or not it was carried out.
func (i *Import) Close() {
	if !i.closed {
		i.closed = true
		i.service.importing.Store(false)
	}
}

// Add takes entries of one source. A wrong entry is counted and reported in the outcome.
func (i *Import) Add(source string, entries []Entry) (Progress, error) {
	at := slices.Index(i.header.Sources, source)
	if at < 0 {
		return Progress{}, fault.Field("batch.source", "%s is not one of the header's sources", quote(source))
	}
	if i.read += int64(len(entries)); i.read > MaxEntries {
		return Progress{}, fault.New(fault.Exhausted, ReasonImportTooLarge, "an import has at most %d entries; split it by source", MaxEntries).
			With("limit", fmt.Sprint(MaxEntries))
	}
	for _, e := range entries {
		here := place{source: at, file: e.File, line: e.Line}
		switch {
		case e.Party != nil:
			i.draft.takeParty(here, *e.Party, i.report)
		case e.Assignment != nil:
			i.draft.takeAssignment(here, *e.Assignment, i.report)
		case e.Delegation != nil:
			i.draft.takeDelegation(here, *e.Delegation, i.service.catalogue, i.report)
		case e.Registered != nil && i.others != nil:
			i.others.take(source, here, *e.Registered, i.report)
		case e.Unreadable != nil:
			i.takeUnreadable(here, e.Unreadable)
		default:
			return Progress{}, fault.Field("batch.entries", "an entry is a party, an assignment, a delegation or unreadable")
		}
	}
	return Progress{Phase: Reading, Done: i.read}, nil
}

func (i *Import) takeUnreadable(at place, u *Unreadable) {
	i.report.sources[at.source].Unreadable++
	i.report.name(at, u.Field, u.Message)
	if name, ok := ParseReference(u.Reference); ok {
		i.draft.keeps = append(i.draft.keeps, keep{source: at.source, names: []Reference{name}})
	}
}

// Commit compares what was added with what is recorded and writes the difference, each
// party whole. Nothing is written when the sources would lose too much, or in a dry run.
// If a write fails, what was written before it stands; the same import, run again, does
// the rest.
func (i *Import) Commit(ctx context.Context, progress func(Progress)) (Outcome, error) {
	s := i.service
	if err := s.take(ctx); err != nil {
		return Outcome{}, err
	}
	defer s.give()
	progress(Progress{Phase: Comparing, Total: i.read})
	p := newPlan(i.draft, newIndex(), i.report, micros(s.now()))
	p.step = func(done, all int) {
		progress(Progress{Phase: Comparing, Done: i.read * int64(done) / int64(all), Total: i.read})
	}
	err := s.records.Read(ctx, func(tx *records.Tx) error {
		if err := i.others.compare(ctx, tx, i.report); err != nil {
			return err
		}
		return p.compare(ctx, tx)
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("compare the import with the records: %w", err)
	}
	progress(Progress{Phase: Comparing, Done: i.read, Total: i.read})
	outcome := Outcome{Sources: i.report.sources, Refusals: i.report.refusals, DryRun: i.header.DryRun}
	if i.header.DryRun {
		return outcome, nil
	}
	if err := i.limit(); err != nil {
		return Outcome{}, err
	}
	p.forget()
	if outcome.Revision, err = s.carryOutAll(ctx, i, p, progress); err != nil {
		return Outcome{}, err
	}
	i.others.count(i.report)
	outcome.Refusals = i.report.refusals
	return outcome, nil
}

// compare plans a draft against everything that is recorded.
func (p *plan) compare(ctx context.Context, tx *records.Tx) error {
	if err := p.index.loadAll(ctx, tx, p.draft.sources); err != nil {
		return err
	}
	for i, source := range p.draft.sources {
		err := tx.AssignmentsBy(ctx, source, func(a records.Assignment) error {
			p.hold(i, a)
			return nil
		})
		if err != nil {
			return err
		}
		err = tx.EachDelegationBy(ctx, source, func(d records.Delegation) error {
			p.given[i][d.ID()] = &givenRow{Delegation: d}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := p.loadNumbers(ctx, tx); err != nil {
		return err
	}
	if err := p.run(ctx, tx); err != nil {
		return err
	}
	if !p.draft.whole {
		return nil
	}
	return p.removeOrphans(ctx, tx)
}

// limit stops an import that would remove more of a source than is likely to be meant: a
// file that was cut short looks just like one from which most of a register has gone.
func (i *Import) limit() error {
	if i.header.AllowRemovals {
		return nil
	}
	for _, o := range i.report.sources {
		if o.removed()*100 > o.recorded*removalsPerCent {
			return fault.New(fault.Precondition, ReasonRemovalsExceedLimit,
				"the import would remove %d of the %d parties, assignments and delegations of source %s, more than %d %%; nothing was written. If that is meant, allow removals (allow_removals; --allow-removals on the command line)",
				o.removed(), o.recorded, o.Source, removalsPerCent).
				With("source", o.Source).With("removed", fmt.Sprint(o.removed())).With("recorded", fmt.Sprint(o.recorded))
		}
	}
	return nil
}

// carryOut writes the plan, some thousand parties at a time. What is written of them is worked
// out when their turn comes.
func (s *Service) carryOut(ctx context.Context, p *plan, progress func(Progress)) (relation.Revision, error) {
	all := p.ordered()
	if len(all) == 0 {
		return "", nil
	}
	var revision relation.Revision
	done, total := int64(0), int64(len(all))
	progress(Progress{Phase: Writing, Total: total})
	for len(all) > 0 {
		chunk := p.chunk(all, s.chunk)
		r, err := s.write(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
			changes, err := p.changes(ctx, tx, chunk)
			return batch{changes: changes, numbers: p.numbers.next}, err
		})
		if err != nil {
			return "", fmt.Errorf("write parties %d to %d of %d: %w", done+1, done+int64(len(chunk)), total, err)
		}
		revision, all = r, all[len(chunk):]
		done += int64(len(chunk))
		progress(Progress{Phase: Writing, Done: done, Total: total})
	}
	return revision, nil
}
