package enforce

import (
	"context"
	"net/http"
	"regexp"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Where a client says for which party it acts: a header, or the cookie in which Altinn's
// browsers hold it.
const (
	partyHeader = "behalf-party"
	partyCookie = "AltinnPartyId"
)

// actingParty says how a route finds the party that a person acts for.
type actingParty struct {
	parameter  string // of the path; empty when the path does not say
	permission string // that the person must have for it
}

var uuidText = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (c *compiler) compileParty(t partyText) *actingParty {
	if t.Parameter != "" && !c.pattern.has(t.Parameter) {
		c.fault("party: the path has no parameter %q", t.Parameter)
	}
	if t.Relation == "" {
		t.Relation = relation.Represent
	}
	if !isIdentifier(t.Relation) {
		c.fault("party: %q is no relation", t.Relation)
	}
	return &actingParty{t.Parameter, t.Relation}
}

// judge finds the party that the request is made for, and whether the person may act for it.
// It is asked at every request, and a party that he may not act for is never replaced by another.
func (a *actingParty) judge(ctx context.Context, q *question) (judgement, error) {
	switch {
	case q.who.Kind == caller.Nobody:
		return unauthenticated(), nil
	case q.who.Kind != caller.User || q.who.UserID <= 0:
		return denied("the route is for people, who act for a party"), nil
	}
	named, j := a.named(q)
	if j.outcome != Allowed {
		return j, nil
	}
	notRepresented := judgement{reason: ReasonPartyNotRepresented, message: "the caller may not act for the party"}
	found, ok := q.service.party(named)
	if !ok { // whether a party exists is not told to who may not act for it
		return notRepresented, nil
	}
	holds, err := q.related(ctx, relation.Party(int64(found.ID)), a.permission)
	if err != nil {
		return judgement{}, err
	}
	if !holds {
		return notRepresented, nil
	}
	q.party = found
	return allowed(), nil
}

// named returns what names the party: the path, else the header, the cookie, what he last
// chose in his session, and the person himself. The first that is there counts, whether or not
// he may act for what it names.
func (a *actingParty) named(q *question) (string, judgement) {
	if a.parameter != "" {
		return q.parameters[a.parameter], allowed()
	}
	text, once := q.headers.single(partyHeader)
	if once && text == "" {
		text, once = q.chosenByCookie()
	}
	switch {
	case !once:
		return "", judgement{outcome: Malformed, reason: ReasonMalformed, message: "the request names more than one party"}
	case text != "":
		return text, allowed()
	case q.who.Chosen > 0:
		return strconv.FormatInt(q.who.Chosen, 10), allowed()
	}
	if own, ok := q.service.parties.ByUser(party.UserID(q.who.UserID)); ok {
		return strconv.FormatInt(int64(own.ID), 10), allowed()
	}
	return "", judgement{reason: ReasonPartyRequired, message: "the request does not say for which party it is made"}
}

// chosenByCookie returns the party of the cookie. It is not ok when there are two that differ:
// a subdomain may have set one of them.
func (q *question) chosenByCookie() (text string, ok bool) {
	request := http.Request{Header: http.Header{"Cookie": q.headers.values["cookie"]}}
	for _, c := range request.CookiesNamed(partyCookie) {
		if text != "" && c.Value != text {
			return "", false
		}
		text = c.Value
	}
	return text, true
}

// party returns a party by its id or UUID.
func (s *Service) party(text string) (party.Party, bool) {
	if uuidText.MatchString(text) {
		return s.parties.ByUUID(text)
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != text {
		return party.Party{}, false
	}
	return s.parties.Get(party.ID(id))
}
