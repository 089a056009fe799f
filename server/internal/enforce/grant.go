package enforce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// maxGranted bounds the groups, and the permissions, that relations give one user. It is the
// bound of those that an issuer says.
const maxGranted = 512

// relationsText is what the routes file says of groups and permissions that are relations.
type relationsText struct {
	Groups      string `yaml:"groups"`
	Permissions string `yaml:"permissions"`
}

// grants are where a user's groups and permissions come from besides his issuer. The zero
// grants are nowhere.
type grants struct{ groups, permissions grant }

// grant gives a user the ids of the objects of a definition that he has a relation to.
type grant struct{ objectType, relation string }

func (g grants) some() bool { return g != grants{} }

// compileGrants returns what a file says of them, and every fault.
func compileGrants(t relationsText) (g grants, faults []error) {
	for _, one := range []struct {
		name, text string
		to         *grant
	}{{"groups", t.Groups, &g.groups}, {"permissions", t.Permissions, &g.permissions}} {
		if one.text == "" {
			continue
		}
		objectType, name, _ := strings.Cut(one.text, "#")
		if !isIdentifier(objectType) || !isIdentifier(name) {
			faults = append(faults, fmt.Errorf("relations: %s %q must be a definition and its relation, like group#member", one.name, one.text))
		}
		*one.to = grant{objectType, name}
	}
	return g, faults
}

// grant adds to the caller the groups and permissions that relations give him.
func (q *question) grant(ctx context.Context) error {
	if q.who.Kind != caller.User || q.who.UserID <= 0 {
		return nil
	}
	var err error
	if q.who.Groups, err = q.granted(ctx, q.grants.groups, q.who.Groups); err != nil {
		return err
	}
	q.who.Permissions, err = q.granted(ctx, q.grants.permissions, q.who.Permissions)
	return err
}

// granted returns what somebody has, and what a grant gives him besides, sorted. It leaves
// alone what he has: others hold it too.
func (q *question) granted(ctx context.Context, g grant, has []string) ([]string, error) {
	if g == (grant{}) {
		return has, nil
	}
	ids, _, err := q.service.relations.Resources(ctx, relation.At{}, g.objectType, g.relation, relation.User(q.who.UserID))
	if err != nil {
		return nil, fmt.Errorf("look up every %s that the user is %s of: %w", g.objectType, g.relation, err)
	}
	if len(ids) > maxGranted {
		return nil, fmt.Errorf("the user is %s of %d objects of type %s, more than the %d that can be told", g.relation, len(ids), g.objectType, maxGranted)
	}
	all := slices.Concat(has, ids)
	slices.Sort(all)
	return slices.Compact(all), nil
}
