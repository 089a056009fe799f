package registry

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Kind is a kind of record of the registry.
type Kind uint8

// The kinds, in the order in which an outcome has them.
const (
	SystemUsers Kind = iota
	AccessLists
	Resources
)

// kinds is how many kinds there are.
const kinds = int(Resources) + 1

// String returns what people call records of the kind.
func (k Kind) String() string {
	switch k {
	case SystemUsers:
		return "system users"
	case AccessLists:
		return "access lists"
	case Resources:
		return "resources"
	}
	return "records"
}

// Counts are what an import does to records of one kind of one source.
type Counts struct {
	Kind                                        Kind
	Added, Changed, Unchanged, Removed, Refused int64
	Recorded                                    int64 // before
}

// Entry is an entry of an import: exactly one of its records is set.
type Entry struct {
	SystemUser *SystemUser
	AccessList *AccessList
	Resource   *records.Resource
}

// kind returns the kind of the record, and its key among them.
func (e Entry) kind() (Kind, string) {
	switch {
	case e.SystemUser != nil:
		return SystemUsers, e.SystemUser.UUID
	case e.AccessList != nil:
		id, err := ListID(e.AccessList.Owner, e.AccessList.Identifier)
		if err != nil {
			return AccessLists, ""
		}
		return AccessLists, id
	}
	return Resources, e.Resource.ID
}

func (e Entry) check() error {
	switch {
	case e.SystemUser != nil:
		return e.SystemUser.check()
	case e.AccessList != nil:
		return e.AccessList.check()
	}
	return checkResource(*e.Resource)
}

// Import is the registry's part of an import. It is for one goroutine. Whoever runs it
// calls Add for each entry, Compare, then, unless it is a dry run, Remove, writes the
// parties, and calls Put.
type Import struct {
	service *Service
	addOnly bool
	sources map[string]*source
}

// source is what one source says.
type source struct {
	name    string
	entries [kinds]map[string]*importEntry
	kept    [kinds]map[string]bool // what was recorded of them stays: their entries were refused
	gone    [kinds][]string
	counts  [kinds]Counts
}

type importEntry struct {
	Entry
	refuse func(field, message string)
	write  bool
}

// Begin opens the registry's part of an import.
func (s *Service) Begin(addOnly bool) *Import {
	return &Import{service: s, addOnly: addOnly, sources: make(map[string]*source)}
}

func (i *Import) of(name string) *source {
	s := i.sources[name]
	if s == nil {
		s = &source{name: name}
		for k := range Kind(kinds) {
			s.entries[k], s.kept[k] = make(map[string]*importEntry), make(map[string]bool)
			s.counts[k].Kind = k
		}
		i.sources[name] = s
	}
	return s
}

// Add takes an entry of a source. refuse is told what is wrong with it, now or later.
func (i *Import) Add(name string, e Entry, refuse func(field, message string)) {
	s := i.of(name)
	err := e.check()
	k, key := e.kind()
	if _, twice := s.entries[k][key]; err == nil && twice {
		err = fault.Field("entry", "the source has this one already")
	}
	if err != nil {
		s.refuse(k, key, err, refuse)
		return
	}
	s.entries[k][key] = &importEntry{Entry: e, refuse: refuse}
}

func (s *source) refuse(k Kind, key string, err error, refuse func(field, message string)) {
	s.counts[k].Refused++
	s.kept[k][key] = true
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || len(f.Violations) == 0 {
		refuse("", err.Error())
		return
	}
	for _, v := range f.Violations {
		refuse(lastName(v.Field), v.Message)
	}
}

// Remove removes what the sources no longer say.
func (i *Import) Remove(ctx context.Context) (relation.Revision, error) {
	return i.each(ctx, func(ctx context.Context, tx *records.Tx, s *source) ([]relation.Update, error) {
		var updates []relation.Update
		for _, uuid := range s.gone[SystemUsers] {
			more, err := deleteSystemUser(ctx, tx, uuid)
			if err != nil {
				return nil, err
			}
			updates = append(updates, more...)
		}
		for _, id := range s.gone[AccessLists] {
			list, known, err := tx.AccessList(ctx, id)
			if err != nil {
				return nil, err
			}
			if !known { // somebody has deleted it since
				continue
			}
			more, err := deleteAccessList(ctx, tx, list)
			if err != nil {
				return nil, err
			}
			updates = append(updates, more...)
		}
		for _, id := range s.gone[Resources] {
			if err := tx.DeleteResource(ctx, id); err != nil {
				return nil, err
			}
		}
		return updates, nil
	})
}

// Put writes what is new or changed. An entry that names a party which is still not known
// is refused.
func (i *Import) Put(ctx context.Context) (relation.Revision, error) {
	return i.each(ctx, func(ctx context.Context, tx *records.Tx, s *source) ([]relation.Update, error) {
		var updates []relation.Update
		for k := range Kind(kinds) {
			for _, key := range slices.Sorted(maps.Keys(s.entries[k])) {
				e := s.entries[k][key]
				if !e.write {
					continue
				}
				more, err := i.put(ctx, tx, s.name, e.Entry)
				if fault.KindOf(err) == fault.Invalid {
					s.refuseLate(ctx, tx, k, key, err)
					continue
				}
				if err != nil {
					return nil, err
				}
				updates = append(updates, more...)
			}
		}
		return updates, nil
	})
}

func (i *Import) put(ctx context.Context, tx *records.Tx, source string, e Entry) ([]relation.Update, error) {
	switch {
	case e.SystemUser != nil:
		row, err := systemUserRow(ctx, tx, source, *e.SystemUser)
		if err != nil {
			return nil, err
		}
		return putSystemUser(ctx, tx, row)
	case e.AccessList != nil:
		row, err := i.service.row(ctx, tx, source, *e.AccessList)
		if err != nil {
			return nil, err
		}
		return putAccessList(ctx, tx, &row, "")
	}
	row := *e.Resource
	row.Source = source
	return nil, tx.PutResource(ctx, row)
}

// refuseLate refuses an entry that was counted as new or changed.
func (s *source) refuseLate(ctx context.Context, tx *records.Tx, k Kind, key string, err error) {
	recorded, _ := recordedBy(ctx, tx, k, s.name) // of no account when it fails: the counts are a report
	if slices.Contains(recorded, key) {
		s.counts[k].Changed--
	} else {
		s.counts[k].Added--
	}
	s.refuse(k, key, err, s.entries[k][key].refuse)
}

// each runs f for every source in one transaction.
func (i *Import) each(ctx context.Context, f func(context.Context, *records.Tx, *source) ([]relation.Update, error)) (relation.Revision, error) {
	if !i.has() {
		return "", nil
	}
	return i.service.write(ctx, func(ctx context.Context, tx *records.Tx) ([]relation.Update, error) {
		var updates []relation.Update
		for _, name := range slices.Sorted(maps.Keys(i.sources)) {
			more, err := f(ctx, tx, i.sources[name])
			if err != nil {
				return nil, err
			}
			updates = append(updates, more...)
		}
		return updates, nil
	})
}

// has reports whether there is anything to write.
func (i *Import) has() bool {
	for _, s := range i.sources {
		for k := range Kind(kinds) {
			c := s.counts[k]
			if c.Added+c.Changed+c.Removed > 0 {
				return true
			}
		}
	}
	return false
}

// lastName is a field without the message that it is in.
func lastName(field string) string {
	for _, prefix := range []string{"system_user.", "access_list.", "resource."} {
		if len(field) > len(prefix) && field[:len(prefix)] == prefix {
			return field[len(prefix):]
		}
	}
	return field
}
