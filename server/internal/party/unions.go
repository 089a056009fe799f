package party

import (
	"slices"
	"sync"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/weighted"
)

// unions makes one list of several, the same one for the same parties, so that what was made
// of it can be used again. Lists that are given again are known by their identity, all others
// by what they contain: a long list that was made anew for each page is still one list.
type unions struct {
	mu   sync.Mutex
	kept *weighted.Shelf[*union]
}

// union is one list of several.
type union struct {
	shared []*relation.Listed
	rest   []string // what the other lists contain, sorted
	all    *relation.Listed
}

func newUnions() *unions {
	return &unions{kept: weighted.New(mostKept, keptFor, func(*union) {})}
}

// of returns the union of lists. It is shared if it is long.
func (u *unions) of(parts ...*relation.Listed) *relation.Listed {
	if len(parts) == 1 && parts[0].Shared() {
		return parts[0]
	}
	made, weight := &union{}, 0
	var others []*relation.Listed
	for _, part := range parts {
		weight += part.Len()
		if part.Shared() {
			made.shared = append(made.shared, part)
		} else {
			others = append(others, part)
		}
	}
	if weight < leastKept || weight > mostKept {
		return unite(parts)
	}
	made.rest = unite(others).Sorted()
	if have := u.find(made); have != nil {
		return have
	}
	made.all = unite(parts)
	if made.all.Len() < leastKept {
		return made.all
	}
	return u.keep(made, weight)
}

// find returns the list of the same parts, nil when none is kept.
func (u *unions) find(of *union) *relation.Listed {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.found(of)
}

// found is find. The caller holds the lock.
func (u *unions) found(of *union) *relation.Listed {
	for place, k := range u.kept.All() {
		if slices.Equal(k.shared, of.shared) && slices.Equal(k.rest, of.rest) {
			u.kept.Use(place)
			return k.all
		}
	}
	return nil
}

// keep keeps a union, unless somebody else has made the same meanwhile, and returns its list.
func (u *unions) keep(made *union, weight int) *relation.Listed {
	u.mu.Lock()
	defer u.mu.Unlock()
	if have := u.found(made); have != nil {
		return have
	}
	made.all.Share()
	u.kept.Put(made, weight)
	return made.all
}

// unite returns a list of all that is in any of several.
func unite(parts []*relation.Listed) *relation.Listed {
	if len(parts) == 1 {
		return relation.NewListed(parts[0].IDs())
	}
	var ids []string
	seen := make(map[string]struct{})
	for _, part := range parts {
		for _, id := range part.IDs() {
			if _, again := seen[id]; !again {
				seen[id] = struct{}{}
				ids = append(ids, id)
			}
		}
	}
	return relation.NewListed(ids)
}
