package register

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// writeTime bounds one transaction once it can no longer be called off.
const writeTime = time.Minute

// batch is what one transaction writes.
type batch struct {
	changes []*change
	numbers records.Numbers
}

// updates are what a write of rows changes in the graph, and what would take it back.
type updates struct{ make, back []relation.Update }

// write carries out what plan says, in one transaction. It returns no revision when there
// was nothing to write. The caller has the turn.
func (s *Service) write(ctx context.Context, plan func(context.Context, *records.Tx) (batch, error)) (relation.Revision, error) {
	var b batch
	revision, err := s.transact(ctx, func(ctx context.Context, tx *records.Tx) (*updates, error) {
		var err error
		if b, err = plan(ctx, tx); err != nil || len(b.changes) == 0 {
			return nil, err
		}
		return s.rewrite(ctx, tx, b)
	})
	if err == nil && len(b.changes) > 0 {
		s.tell(b.changes)
	}
	return revision, err
}

// transact writes rows, and to the graph what f says follows from them, in one transaction.
// It returns no revision when f returns nothing. The caller has the turn.
func (s *Service) transact(ctx context.Context, f func(context.Context, *records.Tx) (*updates, error)) (relation.Revision, error) {
	if err := ctx.Err(); err != nil {
		return "", waited(err)
	}
	// From here on the caller can no longer call it off; see the package's documentation.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()

	var (
		undo     []relation.Update
		revision relation.Revision
	)
	err := s.records.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
		u, err := f(ctx, tx)
		if err != nil || u == nil {
			return err
		}
		if len(u.make) == 0 {
			revision, err = s.relations.Head(ctx)
			return err
		}
		undo = u.back
		revision, err = s.relations.Write(ctx, u.make)
		return err
	})
	if err != nil {
		return "", s.undo(ctx, undo, err)
	}
	return revision, nil
}

// undo takes back tuples whose rows could not be committed, or of which the graph may have
// taken a part. There is nothing to take back when both are one transaction.
func (s *Service) undo(ctx context.Context, back []relation.Update, err error) error {
	if s.joined || len(back) == 0 || len(back) <= atomicUpdates && refused(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	if _, failed := s.relations.Write(ctx, back); failed != nil {
		s.logger.ErrorContext(ctx, "register write not undone in the graph", "error", failed, "updates", len(back))
		return errors.Join(err, fmt.Errorf("undo in the graph: %w", failed))
	}
	return err
}

// atomicUpdates is how many updates the graph takes as one.
const atomicUpdates = 10_000

// refused reports whether the graph found fault with the updates, and so took none of a
// write that it takes as one.
func refused(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Invalid || kind == fault.Precondition
}

// tell tells the directory what was committed.
func (s *Service) tell(changes []*change) {
	var (
		puts    []party.Party
		removes []party.ID
	)
	for _, c := range changes {
		switch {
		case c.remove:
			removes = append(removes, c.node.was.ID)
		case c.put:
			puts = append(puts, c.node.now)
		}
	}
	if len(puts)+len(removes) > 0 {
		s.directory.Apply(puts, removes)
	}
}

// rewrite changes the rows and returns what follows in the graph.
func (s *Service) rewrite(ctx context.Context, tx *records.Tx, b batch) (*updates, error) {
	if err := s.endServices(ctx, tx, b.changes); err != nil {
		return nil, err
	}
	concerned, err := s.concerned(ctx, tx, b.changes)
	if err != nil {
		return nil, err
	}
	before, err := s.derive(ctx, tx, standing(concerned, b.changes))
	if err != nil {
		return nil, err
	}
	var leaving updates
	if err := s.leave(ctx, tx, b.changes, &leaving); err != nil {
		return nil, err
	}
	for _, c := range b.changes {
		if err := c.writeRows(ctx, tx); err != nil {
			return nil, err
		}
	}
	if err := tx.SetNumbers(ctx, b.numbers); err != nil {
		return nil, err
	}
	after, err := s.derive(ctx, tx, concerned)
	if err != nil {
		return nil, err
	}
	return &updates{append(leaving.make, difference(before, after)...), append(leaving.back, difference(after, before)...)}, nil
}

// writeRows writes the rows of one change. A party's row stands before, and falls after,
// the rows that refer to it.
func (c *change) writeRows(ctx context.Context, tx *records.Tx) error {
	if c.put {
		if err := tx.PutParty(ctx, c.node.now, c.createdBy); err != nil {
			return err
		}
	}
	if c.renamed() {
		if err := tx.SetHolderUser(ctx, c.node.now.ID, c.node.was.UserID, c.node.now.UserID); err != nil {
			return err
		}
	}
	for _, a := range c.deleteSays {
		if err := tx.DeleteAssertion(ctx, a); err != nil {
			return err
		}
	}
	for _, a := range c.putSays {
		if err := tx.PutAssertion(ctx, a); err != nil {
			return err
		}
	}
	for _, a := range c.deleteHeld {
		if err := tx.DeleteAssignment(ctx, a); err != nil {
			return err
		}
	}
	for _, a := range c.putHeld {
		if err := tx.PutAssignment(ctx, a); err != nil {
			return err
		}
	}
	for _, g := range c.deleteGiven {
		if err := tx.DeleteDelegation(ctx, g); err != nil {
			return err
		}
	}
	for _, g := range c.putGiven {
		if err := tx.PutDelegation(ctx, g); err != nil {
			return err
		}
	}
	if !c.remove {
		return nil
	}
	if c.into != nil { // before they would go with him
		if err := tx.MoveLogins(ctx, c.node.was.UserID, c.into.now.UserID); err != nil {
			return err
		}
	}
	return tx.DeleteParty(ctx, c.node.was.ID)
}

// renamed reports whether the party is known by another user id from now on.
func (c *change) renamed() bool {
	return c.put && c.node.recorded && c.node.now.UserID != c.node.was.UserID
}

// concerned returns the parties whose tuples may be others after the changes, ordered:
// the changed ones, the owners of changed businesses, the parties in which somebody holds a
// role or was given something whose user id changes, and the clients and providers of what
// is passed on to agents.
func (s *Service) concerned(ctx context.Context, tx *records.Tx, changes []*change) ([]party.ID, error) {
	var ids, renamed []party.ID
	for _, c := range changes {
		ids = append(ids, c.node.now.ID)
		if c.renamed() {
			renamed = append(renamed, c.node.was.ID)
		}
	}
	held, err := tx.AssignmentsFrom(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		held = append(held, c.putHeld...)
	}
	for _, a := range held {
		if a.Role == roleOwner {
			ids = append(ids, a.To)
		}
	}
	if len(renamed) > 0 {
		named, err := tx.AssignmentsTo(ctx, renamed, "")
		if err != nil {
			return nil, err
		}
		for _, a := range named {
			ids = append(ids, a.From)
		}
	}
	if ids, err = s.concernedByGiven(ctx, tx, changes, renamed, ids); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// standing returns those of the concerned parties that are on record before the changes are made.
// No tuples follow from the others, which are most of a first import.
func standing(concerned []party.ID, changes []*change) []party.ID {
	fresh := make(map[party.ID]bool)
	for _, c := range changes {
		if !c.node.recorded {
			fresh[c.node.now.ID] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(concerned), func(id party.ID) bool { return fresh[id] })
}

// derive returns the tuples of the parties as the rows are now, ordered.
func (s *Service) derive(ctx context.Context, tx *records.Tx, ids []party.ID) ([]relation.Relationship, error) {
	facts, err := loadFacts(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var all []relation.Relationship
	for _, f := range facts {
		all = append(all, Derive(s.catalogue, f, now)...)
	}
	slices.SortFunc(all, compareTuples)
	return all, nil
}
