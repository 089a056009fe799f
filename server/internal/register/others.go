package register

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// others are the entries of an import that the registry takes. Nil takes none.
type others struct {
	*registry.Import
	sources []string
}

func (s *Service) others(h Header) *others {
	if s.registry == nil {
		return nil
	}
	return &others{s.registry.Begin(h.AddOnly), h.Sources}
}

func (o *others) take(source string, at place, e registry.Entry, to *report) {
	o.Add(source, e, func(field, message string) { to.name(at, field, message) })
}

// compare compares the entries with what is recorded.
func (o *others) compare(ctx context.Context, tx *records.Tx, to *report) error {
	if o == nil {
		return nil
	}
	if err := o.Compare(ctx, tx, o.sources); err != nil {
		return err
	}
	o.count(to)
	for i := range to.sources {
		for _, c := range to.sources[i].Others {
			to.sources[i].recorded += c.Recorded
		}
	}
	return nil
}

// count puts the counts into the report.
func (o *others) count(to *report) {
	if o == nil {
		return
	}
	for i := range to.sources {
		to.sources[i].Others = o.Counts(to.sources[i].Source)
	}
}

// carryOutAll writes the import: what the registry loses before the parties that it may
// hold on to, and what it gains after the parties that it may name.
func (s *Service) carryOutAll(ctx context.Context, i *Import, p *plan, progress func(Progress)) (relation.Revision, error) {
	if i.others == nil {
		return s.carryOut(ctx, p, progress)
	}
	last, err := i.others.Remove(ctx)
	if err != nil {
		return "", err
	}
	revision, err := s.carryOut(ctx, p, progress)
	if err != nil {
		return "", err
	}
	if revision != "" {
		last = revision
	}
	if revision, err = i.others.Put(ctx); err == nil && revision != "" {
		last = revision
	}
	return last, err
}

// leave makes ready for parties that a transaction deletes.
func (s *Service) leave(ctx context.Context, tx *records.Tx, changes []*change, u *updates) error {
	if err := s.leaveEstates(ctx, changes, u); err != nil {
		return err
	}
	if s.registry == nil {
		return nil
	}
	for _, c := range changes {
		if !c.remove {
			continue
		}
		more, err := s.registry.Leaving(ctx, tx, c.node.was.ID)
		if err != nil {
			return err
		}
		u.make = append(u.make, more...)
		for _, m := range more {
			u.back = append(u.back, relation.Update{Op: relation.Touch, Relationship: m.Relationship})
		}
	}
	return nil
}

// leaveEstates takes from the graph the roles in the estates of parties that go, and theirs
// in others'; those of who is joined to another become the other's.
func (s *Service) leaveEstates(ctx context.Context, changes []*change, u *updates) error {
	gone := make(map[party.Party]party.Party)
	for _, c := range changes {
		if c.remove {
			gone[c.node.was] = party.Party{}
			if c.into != nil {
				gone[c.node.was] = c.into.now
			}
		}
	}
	if s.estates == nil || len(gone) == 0 {
		return nil
	}
	more, err := s.estates.Leaving(ctx, gone)
	if err != nil {
		return err
	}
	u.make = append(u.make, more...)
	for _, m := range more {
		op := relation.Touch
		if m.Op == relation.Touch {
			op = relation.Delete
		}
		u.back = append(u.back, relation.Update{Op: op, Relationship: m.Relationship})
	}
	return nil
}
