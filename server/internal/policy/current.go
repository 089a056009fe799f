package policy

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// current is the relation of a policy to its text.
const current = "current"

// Current returns the policy that decides about ref. The fault is NotFound with
// ReasonNotFound when there is none; the revision is that of the answer then, too.
func (s *Service) Current(ctx context.Context, at relation.At, ref Ref) (Policy, relation.Revision, error) {
	if err := ref.Validate(); err != nil {
		return Policy{}, "", err
	}
	v, revision, err := s.version(ctx, at, ref)
	if err != nil {
		return Policy{}, "", err
	}
	if v == (Version{}) {
		return Policy{}, revision, notFound(ref)
	}
	p, err := s.load(ctx, v)
	if err != nil {
		return Policy{}, "", fmt.Errorf("load the policy of %s: %w", ref, err)
	}
	return Policy{Ref: ref, Version: v, Compiled: p.compiled, Invalid: p.invalid}, revision, nil
}

func notFound(ref Ref) *fault.Error {
	return fault.New(fault.NotFound, ReasonNotFound, "%s has no policy", ref)
}

// version returns which version is current, the zero Version when none is.
func (s *Service) version(ctx context.Context, at relation.At, ref Ref) (Version, relation.Revision, error) {
	tuples, revision, err := s.currentTuples(ctx, at, ref)
	if err != nil {
		return Version{}, "", err
	}
	switch len(tuples) {
	case 0:
		return Version{}, revision, nil
	case 1:
		v, ok := ParseETag(tuples[0].Subject.ID)
		if ok {
			return v, revision, nil
		}
		return Version{}, "", fault.New(fault.Precondition, ReasonAmbiguous,
			"the relationships name %s as the policy of %s, which is no hash of a text; put the policy again", tuples[0].Subject, ref)
	}
	// Which one is meant nobody knows, so none of them lets anybody in.
	return Version{}, "", fault.New(fault.Precondition, ReasonAmbiguous,
		"the relationships name %d policies of %s; put the one that is meant again", len(tuples), ref)
}

func (s *Service) currentTuples(ctx context.Context, at relation.At, ref Ref) ([]relation.Relationship, relation.Revision, error) {
	tuples, revision, err := s.relations.Read(ctx, at,
		relation.Filter{ResourceType: relation.TypePolicy, ResourceID: ref.Object().ID, Relation: current})
	if err != nil {
		return nil, "", fmt.Errorf("read which policy of %s is current: %w", ref, err)
	}
	return tuples, revision, nil
}

// load returns a version as it was read.
func (s *Service) load(ctx context.Context, v Version) (*parsed, error) {
	if p, ok := s.texts.get(v); ok {
		return p, nil
	}
	text, err := s.text(ctx, v.Hash)
	if err != nil {
		return nil, err
	}
	p := s.parse(text, v.AnyOf)
	s.texts.put(v, p)
	return p, nil
}

// text returns the text of a hash.
func (s *Service) text(ctx context.Context, hash string) ([]byte, error) {
	text, err := s.records.PolicyText(ctx, hash)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return nil, fault.New(fault.NotFound, ReasonNotFound, "no policy has the hash %s", hash)
	}
	if found := hashOf(text); found != hash {
		return nil, fmt.Errorf("the text kept as %s has the hash %s", hash, found)
	}
	return text, nil
}

// parse reads a text. One that is no policy is Indeterminate about everything.
func (s *Service) parse(text []byte, anyOf bool) *parsed {
	p := &parsed{size: len(text)}
	p.compiled, p.invalid = xacml.Parse(text, xacml.ParseOptions{AnyOfPerCategory: anyOf || s.anyOf})
	if p.invalid != nil {
		p.compiled = xacml.Broken(text, p.invalid)
	}
	return p
}

// Readable returns the policy that decides about ref, for who wants to know what it says.
// The fault is that of the text when it cannot be read.
func (s *Service) Readable(ctx context.Context, at relation.At, ref Ref) (Policy, relation.Revision, error) {
	p, revision, err := s.Current(ctx, at, ref)
	if err == nil && p.Invalid != nil {
		err = fault.New(fault.Precondition, ReasonInvalid, "the policy of %s cannot be read", ref).Because(p.Invalid)
	}
	return p, revision, err
}
