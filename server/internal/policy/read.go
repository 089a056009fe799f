package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// MaxPage is the longest page of a list or history.
const MaxPage = 1000

// Text returns the entry and text of the policy that decides about ref or, when etag names
// one, of another version that did.
func (s *Service) Text(ctx context.Context, at relation.At, ref Ref, etag string) (Entry, []byte, relation.Revision, error) {
	if err := ref.Validate(); err != nil {
		return Entry{}, nil, "", err
	}
	v, revision, err := s.version(ctx, at, ref)
	if err != nil {
		return Entry{}, nil, "", err
	}
	var entry Entry
	err = s.records.Read(ctx, func(tx *records.Tx) error {
		if etag != "" && etag != v.ETag() {
			if v, err = named(ctx, tx, ref, etag); err != nil {
				return err
			}
		}
		if v == (Version{}) {
			return notFound(ref)
		}
		entry, err = s.entry(ctx, tx, ref, v)
		return err
	})
	if err != nil {
		return Entry{}, nil, "", fmt.Errorf("read the policy of %s: %w", ref, err)
	}
	text, err := s.text(ctx, v.Hash)
	return entry, text, revision, err
}

// named returns the version of a policy's history that an ETag names.
func named(ctx context.Context, tx *records.Tx, ref Ref, etag string) (Version, error) {
	v, ok := ParseETag(etag)
	if !ok {
		return Version{}, fault.Field("etag", "must be an ETag of this policy: a SHA-256 in lower-case hexadecimals")
	}
	found := false
	err := eachChange(ctx, tx, ref, func(c records.PolicyChange) bool {
		found = found || versionOf(c) == v
		return !found
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, ReasonNotFound, "%s never had the policy %s", ref, etag)
	}
	return v, err
}

// eachChange calls f for the changes of a policy, the latest first, until it says no.
func eachChange(ctx context.Context, tx *records.Tx, ref Ref, f func(records.PolicyChange) bool) error {
	before := int64(0)
	for {
		page, err := tx.PolicyChanges(ctx, ref.Object().ID, before, MaxPage)
		if err != nil {
			return err
		}
		for _, c := range page {
			if !f(c) {
				return nil
			}
			before = c.Number
		}
		if len(page) < MaxPage {
			return nil
		}
	}
}

func versionOf(c records.PolicyChange) Version { return Version{Hash: c.Hash, AnyOf: c.AnyOf} }

// entry returns what is known of a version of a policy.
func (s *Service) entry(ctx context.Context, tx *records.Tx, ref Ref, v Version) (Entry, error) {
	e := Entry{Ref: ref, Version: v}
	var err error
	if e.Size, err = tx.PolicySize(ctx, v.Hash); err != nil {
		return Entry{}, err
	}
	err = eachChange(ctx, tx, ref, func(c records.PolicyChange) bool {
		if versionOf(c) == v {
			e.Made, e.By = c.Made, c.By
			return false
		}
		return true
	})
	return e, err
}

// List returns the current policies whose objects' ids come after one, in the order of
// these ids, at most size of them, and the id of the last one when there are more. All
// that only the relations API can have written is left out.
func (s *Service) List(ctx context.Context, at relation.At, after string, size int) (page []Entry, next string, revision relation.Revision, err error) {
	tuples, revision, err := s.relations.Read(ctx, at, relation.Filter{ResourceType: relation.TypePolicy, Relation: current})
	if err != nil {
		return nil, "", "", fmt.Errorf("read which policies are current: %w", err)
	}
	slices.SortFunc(tuples, func(a, b relation.Relationship) int { return cmp.Compare(a.Resource.ID, b.Resource.ID) })
	err = s.records.Read(ctx, func(tx *records.Tx) error {
		for _, t := range tuples {
			ref, own := refOf(t.Resource.ID)
			v, ok := ParseETag(t.Subject.ID)
			if !own || !ok || t.Resource.ID <= after {
				continue
			}
			if len(page) == size {
				next = page[size-1].Ref.Object().ID
				return nil
			}
			e, err := s.entry(ctx, tx, ref, v)
			if err != nil {
				return err
			}
			page = append(page, e)
		}
		return nil
	})
	if err != nil {
		return nil, "", "", fmt.Errorf("list policies: %w", err)
	}
	return page, next, revision, nil
}

// History returns what was done to a policy, the latest first: the changes before a
// number, all when it is 0, at most size of them, and whether there are more.
func (s *Service) History(ctx context.Context, ref Ref, before int64, size int) (page []Change, more bool, err error) {
	if err := ref.Validate(); err != nil {
		return nil, false, err
	}
	var found []records.PolicyChange
	err = s.records.Read(ctx, func(tx *records.Tx) error {
		found, err = tx.PolicyChanges(ctx, ref.Object().ID, before, size+1)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the history of the policy of %s: %w", ref, err)
	}
	if len(found) == 0 && before == 0 {
		return nil, false, fault.New(fault.NotFound, ReasonNotFound, "%s never had a policy", ref)
	}
	for _, c := range found[:min(size, len(found))] {
		page = append(page, Change{Number: c.Number, Kind: ChangeKind(c.Kind), Version: versionOf(c), Made: c.Made, By: c.By})
	}
	return page, len(found) > size, nil
}

// RollBack makes a version current that was so before: the one that etag names or, when it
// is empty, the latest that differs from what is current.
func (s *Service) RollBack(ctx context.Context, ref Ref, etag string, e Expected, by string) (Written, error) {
	var written Written
	err := s.change(ctx, ref, Rollback, by, e, &written, func(ctx context.Context, tx *records.Tx, was Version) (Version, error) {
		if etag != "" {
			return named(ctx, tx, ref, etag)
		}
		return earlier(ctx, tx, ref, was)
	})
	if err != nil {
		return Written{}, err
	}
	return written, nil
}

// earlier returns the latest version of a policy that is not the current one.
func earlier(ctx context.Context, tx *records.Tx, ref Ref, is Version) (Version, error) {
	var found Version
	err := eachChange(ctx, tx, ref, func(c records.PolicyChange) bool {
		if v := versionOf(c); v != (Version{}) && v != is {
			found = v
		}
		return found == (Version{})
	})
	if err == nil && found == (Version{}) {
		err = fault.New(fault.NotFound, ReasonNotFound, "%s never had another policy", ref)
	}
	return found, err
}
