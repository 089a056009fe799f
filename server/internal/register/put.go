package register

import (
	"context"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// PutParty lets a source say what a party is. It returns the party as it then is.
func (s *Service) PutParty(ctx context.Context, source string, record PartyRecord) (party.Party, relation.Revision, error) {
	d, to := &draft{sources: []string{source}}, newReport([]string{source})
	d.takeParty(place{}, record, to)
	if err := to.fault("party"); err != nil {
		return party.Party{}, "", err
	}
	claim := d.claims[0]
	revision, err := s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		x := newIndex()
		if err := x.loadClaim(ctx, tx, source, claim.record); err != nil {
			return batch{}, err
		}
		if err := x.loadReference(ctx, tx, source, claim.mainUnit); err != nil {
			return batch{}, err
		}
		return s.planOne(ctx, tx, d, x, nil, to, "party")
	})
	if err != nil {
		return party.Party{}, "", err
	}
	return claim.node.now, revision, nil
}

// PutAssignment lets a source assert that a party holds a role in another.
func (s *Service) PutAssignment(ctx context.Context, source string, record AssignmentRecord) (relation.Revision, error) {
	d, to := &draft{sources: []string{source}}, newReport([]string{source})
	d.takeAssignment(place{}, record, s.roleFinder(), to)
	if err := to.fault("assignment"); err != nil {
		return "", err
	}
	return s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		x, row, err := s.loadAssignment(ctx, tx, source, d.holds[0])
		if err != nil {
			return batch{}, err
		}
		return s.planOne(ctx, tx, d, x, row, to, "assignment")
	})
}

// DeleteAssignment takes a source's assertion back. The role stands while another source
// asserts it. A party that no source asserts goes with the last assignment that names it.
func (s *Service) DeleteAssignment(ctx context.Context, source string, record AssignmentRecord) (relation.Revision, error) {
	record.Expires = AssignmentRecord{}.Expires
	d, to := &draft{sources: []string{source}}, newReport([]string{source})
	d.takeAssignment(place{}, record, s.roleFinder(), to)
	if err := to.fault("assignment"); err != nil {
		return "", err
	}
	return s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		x, row, err := s.loadAssignment(ctx, tx, source, d.holds[0])
		if err != nil {
			return batch{}, err
		}
		if row == nil {
			return batch{}, fault.New(fault.NotFound, ReasonAssignmentNotFound,
				"the source %s does not assert that %s holds %s in %s", source, record.To, d.holds[0].role.Code, record.From)
		}
		from, to := x.byID[row.From], x.byID[row.To]
		changes := []*change{{node: from, deleteHeld: []records.AssignmentKey{row.AssignmentKey}}}
		for _, n := range []*node{from, to} {
			if changes, err = s.dropUnnamed(ctx, tx, n, row.AssignmentKey, changes); err != nil {
				return batch{}, err
			}
			if from == to {
				break
			}
		}
		return batch{changes: changes}, nil
	})
}

// alone writes one transaction in its turn, and answers with the head when there was
// nothing to write.
func (s *Service) alone(ctx context.Context, plan func(context.Context, *records.Tx) (batch, error)) (relation.Revision, error) {
	if err := s.take(ctx); err != nil {
		return "", err
	}
	defer s.give()
	revision, err := s.write(ctx, plan)
	if err != nil || revision != "" {
		return revision, err
	}
	return s.relations.Head(ctx)
}

func (s *Service) roleFinder() *roleFinder {
	return &roleFinder{catalogue: s.catalogue, found: make(map[string]*roles.Role)}
}

// planOne plans a draft of one entry.
func (s *Service) planOne(
	ctx context.Context, tx *records.Tx, d *draft, x *index, row *records.Assignment, to *report, under string,
) (batch, error) {
	p := &plan{draft: d, index: x, report: to, now: micros(s.now()), held: []map[holdKey]*heldRow{{}}, given: []map[string]*givenRow{{}}}
	if row != nil {
		p.held[0][holdKey{row.From, row.To, row.Role}] = &heldRow{Assignment: *row}
	}
	if err := p.loadNumbers(ctx, tx); err != nil {
		return batch{}, err
	}
	if err := p.run(); err != nil {
		return batch{}, err
	}
	if err := to.fault(under); err != nil {
		return batch{}, err
	}
	return batch{changes: p.ordered(), numbers: p.numbers.next}, nil
}

func (p *plan) loadNumbers(ctx context.Context, tx *records.Tx) error {
	var err error
	p.numbers.next, p.numbers.parties, p.numbers.users, err = tx.Numbers(ctx)
	p.writes = p.numbers.next.Write
	p.numbers.next.Write += int64(len(p.draft.sources))
	return err
}

// loadAssignment reads the parties of an assignment, and what the source had said of it.
func (s *Service) loadAssignment(ctx context.Context, tx *records.Tx, source string, h hold) (*index, *records.Assignment, error) {
	x := newIndex()
	for _, name := range []Reference{h.from, h.to} {
		if err := x.loadReference(ctx, tx, source, name); err != nil {
			return nil, nil, err
		}
	}
	from, to := x.find(source, h.from), x.find(source, h.to)
	if from == nil || to == nil {
		return x, nil, nil // refused later, with its name
	}
	key := records.AssignmentKey{From: from.was.ID, Role: h.role.Relation, To: to.was.ID, Source: source}
	row, ok, err := tx.Assignment(ctx, key)
	if err != nil || !ok {
		return x, nil, err
	}
	return x, &row, nil
}

// dropUnnamed adds the removal of a party that no source asserts and nothing but the
// assignment names.
func (s *Service) dropUnnamed(ctx context.Context, tx *records.Tx, n *node, but records.AssignmentKey, changes []*change) ([]*change, error) {
	if len(n.says) > 0 || n.parent {
		return changes, nil
	}
	ids := []party.ID{n.was.ID}
	from, err := tx.AssignmentsFrom(ctx, ids)
	if err != nil {
		return nil, err
	}
	to, err := tx.AssignmentsTo(ctx, ids, "")
	if err != nil {
		return nil, err
	}
	for _, a := range append(from, to...) {
		if a.AssignmentKey != but {
			return changes, nil
		}
	}
	given, err := givenBetween(ctx, tx, ids)
	if err != nil || len(given) > 0 {
		return changes, err
	}
	for _, c := range changes {
		if c.node == n {
			c.remove = true
			return changes, nil
		}
	}
	return append(changes, &change{node: n, remove: true}), nil
}
