package registry

import (
	"context"
	"maps"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// Compare compares what was added with what is recorded. Each source is counted, also one
// that has no entries.
func (i *Import) Compare(ctx context.Context, tx *records.Tx, sources []string) error {
	for _, name := range sources {
		s := i.of(name)
		for k := range Kind(kinds) {
			recorded, err := recordedBy(ctx, tx, k, name)
			if err != nil {
				return err
			}
			s.counts[k].Recorded = int64(len(recorded))
			for _, key := range slices.Sorted(maps.Keys(s.entries[k])) {
				if err := i.compare(ctx, tx, s, k, key); err != nil {
					return err
				}
			}
			for _, key := range recorded {
				if s.entries[k][key] == nil && !s.kept[k][key] && !i.addOnly {
					s.gone[k] = append(s.gone[k], key)
					s.counts[k].Removed++
				}
			}
		}
	}
	return nil
}

func recordedBy(ctx context.Context, tx *records.Tx, k Kind, source string) ([]string, error) {
	var keys []string
	switch k {
	case SystemUsers:
		found, err := tx.SystemUsersBy(ctx, source)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			keys = append(keys, u.UUID)
		}
	case AccessLists:
		found, err := tx.AccessListsBy(ctx, source)
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			keys = append(keys, l.ID)
		}
	default:
		found, err := tx.ResourcesBy(ctx, source)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			keys = append(keys, r.ID)
		}
	}
	return keys, nil
}

// compare compares one entry. One that names a party which is not known yet counts as new:
// the parties of the import are written before it is.
func (i *Import) compare(ctx context.Context, tx *records.Tx, s *source, k Kind, key string) error {
	e, known, same := s.entries[k][key], false, false
	switch k {
	case SystemUsers:
		was, ok, err := tx.SystemUser(ctx, key)
		if err != nil {
			return err
		}
		row, err := systemUserRow(ctx, tx, s.name, *e.SystemUser)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			return err
		}
		known, same = ok, err == nil && row == was
	case AccessLists:
		was, ok, err := tx.AccessList(ctx, key)
		if err != nil {
			return err
		}
		row, err := i.service.row(ctx, tx, s.name, *e.AccessList)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			return err
		}
		known, same = ok, err == nil && row.ETag == was.ETag && was.Source == s.name
	default:
		was, ok, err := tx.Resource(ctx, key)
		if err != nil {
			return err
		}
		row := *e.Resource
		row.Source = s.name
		known, same = ok, row == was
	}
	e.write = !same
	switch {
	case same:
		s.counts[k].Unchanged++
	case known:
		s.counts[k].Changed++
	default:
		s.counts[k].Added++
	}
	return nil
}

// Counts returns what is, or would be, done to the records of a source, those kinds that it
// has anything of.
func (i *Import) Counts(source string) []Counts {
	var out []Counts
	for _, c := range i.of(source).counts {
		if c != (Counts{Kind: c.Kind}) {
			out = append(out, c)
		}
	}
	return out
}
