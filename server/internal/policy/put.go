package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// MaxText is how long a policy may be, in bytes.
const MaxText = 1 << 20

// Upload is a policy to be put.
type Upload struct {
	Ref   Ref
	Text  []byte
	AnyOf bool // read this policy as Altinn's engine does
	Expected
	By string // who puts it
}

// Expected is what a writer expects to be current. The zero Expected is anything.
type Expected struct {
	Match     string // this ETag, or * for any policy
	NoneMatch string // not this ETag, or * for no policy
}

// Written is what a write has brought about.
type Written struct {
	Version  Version
	Changed  bool          // false when it was current already
	Created  bool          // there was no policy before
	Findings []xacml.Fault // what is suspicious about the policy
	Invalid  []xacml.Fault // what is wrong with a text that was taken nevertheless
	Revision relation.Revision
}

// PutPolicy makes a text the policy of something. A text that is no policy is refused with
// all that is wrong with it, unless the service accepts anything.
func (s *Service) PutPolicy(ctx context.Context, u Upload) (Written, error) {
	if err := u.Ref.Validate(); err != nil {
		return Written{}, err
	}
	switch {
	case len(u.Text) == 0:
		return Written{}, fault.Field("text", "must not be empty")
	case len(u.Text) > MaxText:
		return Written{}, fault.New(fault.Invalid, ReasonTooLarge, "the policy has %d bytes, at most %d are taken", len(u.Text), MaxText)
	}
	p := s.parse(u.Text, u.AnyOf)
	written := Written{Version: Version{Hash: hashOf(u.Text), AnyOf: u.AnyOf}}
	if p.invalid != nil {
		if !s.lenient {
			return Written{}, invalidFault(p.invalid)
		}
		written.Invalid = faultsOf(p.invalid)
	} else {
		written.Findings = s.findings(u.Ref, p.compiled)
	}
	// First, see the package's documentation.
	if err := s.records.PutPolicyText(ctx, written.Version.Hash, u.Text); err != nil {
		return Written{}, err
	}
	s.texts.put(written.Version, p)
	next := written.Version
	err := s.change(ctx, u.Ref, Put, u.By, u.Expected, &written, func(context.Context, *records.Tx, Version) (Version, error) { return next, nil })
	return written, err
}

// DeletePolicy takes the policy of something away. Its texts and history stay.
func (s *Service) DeletePolicy(ctx context.Context, ref Ref, e Expected, by string) (relation.Revision, error) {
	var written Written
	err := s.change(ctx, ref, Delete, by, e, &written, func(_ context.Context, _ *records.Tx, was Version) (Version, error) {
		if was == (Version{}) {
			return was, notFound(ref)
		}
		return Version{}, nil
	})
	return written.Revision, err
}

// change makes another version current: the one that choose returns, knowing which was.
func (s *Service) change(
	ctx context.Context, ref Ref, kind ChangeKind, by string, e Expected, written *Written,
	choose func(context.Context, *records.Tx, Version) (Version, error),
) error {
	if err := ref.Validate(); err != nil {
		return err
	}
	err := s.records.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
		was, err := latest(ctx, tx, ref)
		if err != nil {
			return err
		}
		// What others have committed. Those whose transactions are to be committed together
		// with this one are not in it, but in the history.
		tuples, _, err := s.currentTuples(ctx, relation.At{Latest: true}, ref)
		if err != nil {
			return err
		}
		if err := e.check(ref, was); err != nil {
			return err
		}
		next, err := choose(ctx, tx, was)
		if err != nil {
			return err
		}
		written.Version, written.Created = next, was == (Version{})
		if next == was && only(tuples) == next {
			return nil
		}
		written.Changed = true
		err = tx.AddPolicyChange(ctx, records.PolicyChange{
			Ref: ref.Object().ID, Kind: string(kind), Hash: next.Hash, AnyOf: next.AnyOf, Made: s.now(), By: by,
		})
		if err != nil {
			return err
		}
		written.Revision, err = s.graph.Write(ctx, replace(ref, was, tuples, next))
		return err
	})
	if err != nil {
		return fmt.Errorf("%s the policy of %s: %w", kind, ref, err)
	}
	if written.Revision == "" { // nothing was written, or not by this transaction alone
		if written.Revision, err = s.graph.Head(ctx); err != nil {
			return err
		}
	}
	return nil
}

// latest returns the version that the latest change of a policy made current.
func latest(ctx context.Context, tx *records.Tx, ref Ref) (Version, error) {
	changes, err := tx.PolicyChanges(ctx, ref.Object().ID, 0, 1)
	if err != nil || len(changes) == 0 {
		return Version{}, err
	}
	return versionOf(changes[0]), nil
}

// only returns the version of the only tuple. Where there are several none is current.
func only(tuples []relation.Relationship) Version {
	if len(tuples) != 1 {
		return Version{}
	}
	v, ok := ParseETag(tuples[0].Subject.ID)
	if !ok {
		return Version{}
	}
	return v
}

// check says whether was is what is expected.
func (e Expected) check(ref Ref, was Version) error {
	is := "has no policy"
	if was != (Version{}) {
		is = "has the policy " + was.ETag()
	}
	switch {
	case e.Match == "*" && was == (Version{}), e.Match != "" && e.Match != "*" && e.Match != was.ETag():
		return fault.New(fault.Precondition, fault.ReasonETagMismatch, "%s %s, not %s; nothing was written", ref, is, orAny(e.Match)).
			With("etag", was.ETag())
	case e.NoneMatch == "*" && was != (Version{}), e.NoneMatch != "" && e.NoneMatch == was.ETag():
		return fault.New(fault.Precondition, fault.ReasonETagMismatch, "%s %s already; nothing was written", ref, is).
			With("etag", was.ETag())
	}
	return nil
}

func orAny(etag string) string {
	if etag == "*" {
		return "any"
	}
	return etag
}

// replace returns the updates after which next, and nothing else, is current: neither what
// was, nor what else the relationships say.
func replace(ref Ref, was Version, tuples []relation.Relationship, next Version) []relation.Update {
	var updates []relation.Update
	for _, t := range tuples {
		updates = append(updates, relation.Update{Op: relation.Delete, Relationship: t})
	}
	if was != (Version{}) {
		updates = append(updates, relation.Update{Op: relation.Delete, Relationship: tuple(ref, was)})
	}
	if next != (Version{}) {
		updates = append(updates, relation.Update{Op: relation.Touch, Relationship: tuple(ref, next)})
	}
	return updates
}

// tuple returns the relationship that makes a version current.
func tuple(ref Ref, v Version) relation.Relationship {
	return relation.Relationship{Resource: ref.Object(), Relation: current, Subject: relation.Subject{Object: v.object()}}
}

// invalidFault is the answer to an upload that is no policy: the first thing that is wrong
// in the sentence, all of them in the violations.
func invalidFault(err error) *fault.Error {
	faults := faultsOf(err)
	sentence := "the policy is not valid: " + faults[0].String()
	if len(faults) > 1 {
		sentence += fmt.Sprintf(" (and %d more)", len(faults)-1)
	}
	f := fault.New(fault.Invalid, ReasonInvalid, "%s", sentence)
	for _, at := range faults {
		f.Violations = append(f.Violations, fault.Violation{Field: "text", Message: at.String()})
	}
	return f
}

// faultsOf returns what is wrong with a text.
func faultsOf(err error) []xacml.Fault {
	if invalid, ok := errors.AsType[*xacml.Invalid](err); ok {
		return invalid.Faults
	}
	return []xacml.Fault{{Kind: xacml.FaultXML, Line: 1, Message: err.Error()}}
}
