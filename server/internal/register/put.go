package register

import (
	"context"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// PutParty lets a source say what a party is. It returns the party as it then is.
func (s *Service) PutParty(ctx context.Context, source string, record PartyRecord) (party.Party, relation.Revision, error) {
	d, to := s.draft([]string{source}, false), newReport([]string{source})
	d.takeParty(place{}, record, to)
	if err := to.fault("party"); err != nil {
		return party.Party{}, "", err
	}
	claim := d.claims.at(1)
	_, record = d.record(claim)
	mainUnit, _ := ParseReference(record.MainUnit)
	var is party.Party
	revision, err := s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		x := newIndex()
		if err := x.loadClaim(ctx, tx, d.sources, record); err != nil {
			return batch{}, err
		}
		if err := x.loadReference(ctx, tx, d.sources, mainUnit); err != nil {
			return batch{}, err
		}
		p, err := s.planOne(ctx, tx, d, x, nil, to, "party")
		if err != nil {
			return batch{}, err
		}
		changes, err := p.changes(ctx, tx, []nth{claim.node})
		if err != nil {
			return batch{}, err
		}
		is = changes[0].node.now
		if !p.stub(claim.node).changed {
			return batch{}, nil
		}
		return batch{changes: changes, numbers: p.numbers.next}, nil
	})
	if err != nil {
		return party.Party{}, "", err
	}
	return is, revision, nil
}

// PutAssignment lets a source assert that a party holds a role in another.
func (s *Service) PutAssignment(ctx context.Context, source string, record AssignmentRecord) (relation.Revision, error) {
	d, to := s.draft([]string{source}, false), newReport([]string{source})
	h := d.takeAssignment(place{}, record, to)
	if err := to.fault("assignment"); err != nil {
		return "", err
	}
	return s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		x, row, err := loadAssignment(ctx, tx, d.sources, h)
		if err != nil {
			return batch{}, err
		}
		p, err := s.planOne(ctx, tx, d, x, row, to, "assignment")
		if err != nil {
			return batch{}, err
		}
		changes, err := p.changes(ctx, tx, p.ordered())
		return batch{changes: changes, numbers: p.numbers.next}, err
	})
}

// DeleteAssignment takes a source's assertion back. The role stands while another source
// asserts it. A party that no source asserts goes with the last assignment that names it.
func (s *Service) DeleteAssignment(ctx context.Context, source string, record AssignmentRecord) (relation.Revision, error) {
	record.Expires = AssignmentRecord{}.Expires
	d, to := s.draft([]string{source}, false), newReport([]string{source})
	h := d.takeAssignment(place{}, record, to)
	if err := to.fault("assignment"); err != nil {
		return "", err
	}
	return s.alone(ctx, func(ctx context.Context, tx *records.Tx) (batch, error) {
		_, row, err := loadAssignment(ctx, tx, d.sources, h)
		if err != nil {
			return batch{}, err
		}
		if row == nil {
			return batch{}, fault.New(fault.NotFound, ReasonAssignmentNotFound,
				"the source %s does not assert that %s holds %s in %s", source, record.To, h.role.Code, record.From)
		}
		nodes, err := loadNodes(ctx, tx, records.Identifiers{ID: row.From}, records.Identifiers{ID: row.To})
		if err != nil {
			return batch{}, err
		}
		changes := []*change{{node: nodes[0], deleteHeld: []records.AssignmentKey{row.AssignmentKey}}}
		for _, n := range nodes {
			if changes, err = s.dropUnnamed(ctx, tx, n, row.AssignmentKey, changes); err != nil {
				return batch{}, err
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

// planOne plans a draft of one entry. row is what its source had said, if that was an assignment.
func (s *Service) planOne(
	ctx context.Context, tx *records.Tx, d *draft, x *index, row *records.Assignment, to *report, under string,
) (*plan, error) {
	p := newPlan(d, x, to, micros(s.now()))
	if row != nil {
		p.hold(0, *row)
	}
	if err := p.loadNumbers(ctx, tx); err != nil {
		return nil, err
	}
	if err := p.run(ctx, tx); err != nil {
		return nil, err
	}
	return p, to.fault(under)
}

func (p *plan) loadNumbers(ctx context.Context, tx *records.Tx) error {
	var err error
	p.numbers.next, p.numbers.parties, p.numbers.users, err = tx.Numbers(ctx)
	p.writes = p.numbers.next.Write
	p.numbers.next.Write += int64(len(p.draft.sources))
	return err
}

// loadAssignment reads the parties of an assignment, and what the source had said of it.
func loadAssignment(ctx context.Context, tx *records.Tx, sources []string, h hold) (*index, *records.Assignment, error) {
	x := newIndex()
	for _, name := range []Reference{h.from, h.to} {
		if err := x.loadReference(ctx, tx, sources, name); err != nil {
			return nil, nil, err
		}
	}
	from, to := x.find(sources[0], h.from), x.find(sources[0], h.to)
	if from == 0 || to == 0 {
		return x, nil, nil // refused later, with its name
	}
	key := records.AssignmentKey{From: x.stubs.at(from).id, Role: h.role.Relation, To: x.stubs.at(to).id, Source: sources[0]}
	row, ok, err := tx.Assignment(ctx, key)
	if err != nil || !ok {
		return x, nil, err
	}
	return x, &row, nil
}

// loadNodes reads the parties that have the identifiers, each once.
func loadNodes(ctx context.Context, tx *records.Tx, all ...records.Identifiers) ([]*node, error) {
	var nodes []*node
	for _, by := range all {
		found, err := tx.Named(ctx, by)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if slices.ContainsFunc(nodes, func(n *node) bool { return n.was.ID == p.ID }) {
				continue
			}
			n := &node{recorded: true, was: p, now: p}
			if n.parent, err = tx.HasSubUnits(ctx, p.ID); err != nil {
				return nil, err
			}
			if n.says, err = tx.AssertionsOf(ctx, p.ID); err != nil {
				return nil, err
			}
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
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
