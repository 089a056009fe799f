package authorized

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// holding is what the subject has on one party.
type holding struct {
	own       bool            // it is the subject's own party
	relations map[string]bool // of roles, as tuples have them
	packages  map[string]bool // relations of packages, without prefix, that were given
	resources map[string]bool
	instances map[Instance]bool
	acts      bool // the subject may act for it at all
	below     bool // it is here through its main unit alone
}

func (h *holding) set(into *map[string]bool, name string) {
	if *into == nil {
		*into = make(map[string]bool)
	}
	(*into)[name] = true
	h.acts = true
}

// holdings is what a subject has, by party.
type holdings map[party.ID]*holding

func (h holdings) of(id party.ID) *holding {
	if h[id] == nil {
		h[id] = &holding{}
	}
	return h[id]
}

// The relations of a party that are no roles.
const (
	relationSelf     = "self"
	relationMainUnit = "main_unit"
	relationEnk      = "enk"
	packagePrefix    = "pkg_"
	suffixOrg        = "_org"
)

// gathering reads what a subject has.
type gathering struct {
	service *Service
	query   Query
	has     holdings
	keys    []party.ID // organisations in which the subject holds a key role
	agent   []clientPackage
}

// clientPackage is a package that a provider may have passed on to the subject.
type clientPackage struct {
	client party.ID
	code   string // its relation
}

// gather reads all that the subject has itself or through organisations. The context is
// pinned.
func (s *Service) gather(ctx context.Context, q Query) (*gathering, error) {
	g := &gathering{service: s, query: q, has: make(holdings)}
	who := q.Subject.relation()
	found, err := g.read(ctx, filtersOf(who)...)
	if err != nil {
		return nil, err
	}
	for _, t := range found {
		g.take(t, q.Subject.Organisation != 0)
	}
	if !q.WithoutKeyRoles && len(g.keys) > 0 {
		var filters []relation.Filter
		for _, key := range g.keys {
			filters = append(filters, filtersOf(relation.Subject{Object: relation.Party(int64(key))})...)
		}
		if found, err = g.read(ctx, filters...); err != nil {
			return nil, err
		}
		for _, t := range found {
			g.take(t, true)
		}
	}
	if err := g.confirmClients(ctx, who); err != nil {
		return nil, err
	}
	return g, g.traders(ctx)
}

func (s Subject) relation() relation.Subject {
	switch {
	case s.User != 0:
		return relation.User(int64(s.User))
	case s.SystemUser != "":
		return relation.SystemUser(s.SystemUser)
	}
	return relation.Subject{Object: relation.Party(int64(s.Organisation))}
}

// filtersOf selects the relationships that name somebody.
func filtersOf(who relation.Subject) []relation.Filter {
	types := []string{relation.TypeParty, relation.TypeRight}
	if who.Type != relation.TypeParty {
		types = append(types, relation.TypeClientDelegation)
	}
	filters := make([]relation.Filter, len(types))
	for i, t := range types {
		filters[i] = relation.Filter{ResourceType: t, SubjectType: who.Type, SubjectID: who.ID}
	}
	return filters
}

func (g *gathering) read(ctx context.Context, filters ...relation.Filter) ([]relation.Relationship, error) {
	found, _, err := g.service.relations.Read(ctx, relation.At{}, filters...)
	if err != nil {
		return nil, fmt.Errorf("read what the subject has: %w", err)
	}
	return found, nil
}

// take notes what one relationship gives. asFirm says that it names an organisation, which
// has what is held under relations to organisations.
func (g *gathering) take(t relation.Relationship, asFirm bool) {
	switch t.Resource.Type {
	case relation.TypeRight:
		g.takeRight(t, asFirm)
	case relation.TypeClientDelegation:
		parts, err := relation.SplitID(t.Resource.ID)
		if code, is := strings.CutPrefix(t.Relation, packagePrefix); is && err == nil && len(parts) == 2 {
			if client, ok := (relation.Object{Type: relation.TypeParty, ID: parts[0]}).Number(); ok {
				g.agent = append(g.agent, clientPackage{party.ID(client), code})
			}
		}
	case relation.TypeParty:
		n, ok := t.Resource.Number()
		if !ok {
			return
		}
		g.takeRelation(party.ID(n), t.Relation, asFirm)
	}
}

func (g *gathering) takeRelation(id party.ID, name string, asFirm bool) {
	if code, is := strings.CutPrefix(name, packagePrefix); is {
		code, org := strings.CutSuffix(code, suffixOrg)
		if org == asFirm {
			h := g.has.of(id)
			h.set(&h.packages, code)
		}
		return
	}
	if name == relationSelf {
		h := g.has.of(id)
		h.own, h.acts = true, true
		return
	}
	_, key, isRole := g.service.catalogue.Held(name)
	if !isRole || asFirm != strings.HasSuffix(name, suffixOrg) {
		return
	}
	h := g.has.of(id)
	h.set(&h.relations, name)
	if key && !asFirm && !slices.Contains(g.keys, id) {
		g.keys = append(g.keys, id)
	}
}

func (g *gathering) takeRight(t relation.Relationship, asFirm bool) {
	right, ok := relation.ParseRight(t.Resource)
	if !ok || asFirm != (t.Relation == "org") {
		return
	}
	h := g.has.of(party.ID(right.Party))
	if right.Instance == "" {
		h.set(&h.resources, right.Resource)
		return
	}
	if h.instances == nil {
		h.instances = make(map[Instance]bool)
	}
	h.instances[Instance{right.Resource, right.Instance}], h.acts = true, true
}

// confirmClients keeps the packages of clients of which every link still holds.
func (g *gathering) confirmClients(ctx context.Context, who relation.Subject) error {
	if len(g.agent) == 0 {
		return nil
	}
	questions := make([]relation.Question, len(g.agent))
	for i, a := range g.agent {
		questions[i] = relation.Question{Object: relation.Party(int64(a.client)), Permission: "has_" + packagePrefix + a.code, Subject: who}
	}
	answers, _, err := g.service.relations.Check(ctx, relation.At{}, questions...)
	if err != nil {
		return fmt.Errorf("check the packages of clients: %w", err)
	}
	for i, a := range g.agent {
		if answers[i].Err != nil {
			return fmt.Errorf("check the packages of client %d: %w", a.client, answers[i].Err)
		}
		if answers[i].Allowed {
			h := g.has.of(a.client)
			h.set(&h.packages, a.code)
		}
	}
	return nil
}

// traders adds what roles on the business of a sole trader give on the trader himself.
func (g *gathering) traders(ctx context.Context) error {
	var filters []relation.Filter
	for _, id := range slices.Sorted(maps.Keys(g.has)) {
		if len(g.traderRoles(id)) > 0 {
			filters = append(filters, relation.Filter{
				ResourceType: relation.TypeParty, Relation: relationEnk, SubjectType: relation.TypeParty, SubjectID: relation.Party(int64(id)).ID,
			})
		}
	}
	if len(filters) == 0 {
		return nil
	}
	found, err := g.read(ctx, filters...)
	if err != nil {
		return err
	}
	for _, t := range found {
		trader, ok := t.Resource.Number()
		business, also := t.Subject.Number()
		if !ok || !also {
			continue
		}
		h := g.has.of(party.ID(trader))
		for _, name := range g.traderRoles(party.ID(business)) {
			h.set(&h.relations, name)
		}
	}
	return nil
}

// traderRoles returns the relations on a business that give something on its trader.
func (g *gathering) traderRoles(id party.ID) []string {
	if p, ok := g.service.directory.Get(id); !ok || p.UnitType != "ENK" {
		return nil
	}
	var names []string
	for name := range g.has[id].relations {
		held, _, _ := g.service.catalogue.Held(name)
		for _, r := range g.service.catalogue.Closure([]string{name}) {
			// A role that goes over by itself brings there what it implies.
			if r.SoleTrader && (!held.SoleTrader || r.Relation == held.Relation) {
				if relation := r.PersonRelation(""); relation != "" {
					names = append(names, relation)
				} else {
					names = append(names, r.OrganisationRelation(""))
				}
			}
		}
	}
	return names
}
