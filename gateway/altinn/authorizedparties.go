package altinn

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// accessPrefix is what the paths of access management begin with, in any case.
const accessPrefix = "/accessmanagement/api/v1/"

// accessRoute returns what a path of access management leads to.
func (a *API) accessRoute(path string) (at route, found bool) {
	parts := strings.Split(strings.TrimSuffix(path[len(accessPrefix):], "/"), "/")
	is := func(i int, name string) bool { return strings.EqualFold(parts[i], name) }
	switch {
	case len(parts) == 1 && is(0, "authorizedparties"):
		return route{pattern: "authorizedparties", answer: byUser(func(w http.ResponseWriter, r *http.Request, user int64) {
			a.listAuthorized(w, r, user, nil, false)
		})}, true
	case len(parts) == 2 && is(0, "authorizedparty") && parts[1] != "":
		return route{pattern: "authorizedparty/{partyId}", answer: byUser(func(w http.ResponseWriter, r *http.Request, user int64) {
			a.authorizedParty(w, r, user, parts[1])
		})}, true
	case len(parts) == 2 && (is(0, "resourceowner") || is(0, "serviceowner")) && is(1, "authorizedparties"):
		return route{pattern: strings.ToLower(parts[0]) + "/authorizedparties", writes: true, answer: a.listAuthorizedOf}, true
	case len(parts) == 2 && is(0, "enduser") && is(1, "authorizedparties"):
		return route{pattern: "enduser/authorizedparties", answer: a.listAuthorizedForUser}, true
	case len(parts) == 2 && parts[0] != "" && is(1, "authorizedparties"):
		return route{pattern: "{party}/authorizedparties", answer: byUser(func(w http.ResponseWriter, r *http.Request, user int64) {
			a.listAuthorizedBy(w, r, user, parts[0])
		})}, true
	}
	return route{}, false
}

// authorizedRequest reads the filters that all lists of authorized parties have.
//
// Clients of the service before this one send includeAltinn2 and includeAltinn3: roles came
// from the one, what was delegated from the other, and a party was listed for what was shown
// of it. They are answered so.
func authorizedRequest(params *parameters) (req *behalfv1.ListAuthorizedPartiesRequest, before bool) {
	without := func(name string) bool { return !params.boolOrAuto(name, true) }
	req = &behalfv1.ListAuthorizedPartiesRequest{
		WithoutRoles:     without("includeRoles"),
		WithoutPackages:  without("includeAccessPackages"),
		WithoutResources: without("includeResources"),
		WithoutInstances: without("includeInstances"),
		WithoutKeyRoles:  without("includePartiesViaKeyRoles"),
		WithoutSubUnits:  without("includeSubParties"),
		WithoutDeleted:   without("includeInactiveParties"),
	}
	req.Owner, _ = params.text("orgCode")
	for _, value := range params.all("anyOfResourceIds") {
		for id := range strings.SplitSeq(value, ",") {
			if id = strings.TrimSpace(id); id != "" {
				req.Resources = append(req.Resources, id)
			}
		}
	}
	_, two := params.text("includeAltinn2")
	_, three := params.text("includeAltinn3")
	if two || three {
		req.HeldRolesOnly, req.ShownOnly = true, true
		if !params.boolOrAuto("includeAltinn2", false) {
			req.WithoutRoles = true
		}
		if !params.boolOrAuto("includeAltinn3", true) {
			req.WithoutPackages, req.WithoutResources, req.WithoutInstances = true, true, true
		}
	}
	req.PageToken, _ = params.text("cursor")
	if limit := params.int("limit"); limit != 0 {
		if limit < 1 || limit > maxLimit {
			params.refuse("limit", "The limit must be between 1 and "+strconv.Itoa(maxLimit)+".")
		}
		req.PageSize = int32(limit)
	}
	return req, two || three
}

// listAuthorized answers a list of what the user, or somebody he may ask about, may act for.
func (a *API) listAuthorized(w http.ResponseWriter, r *http.Request, user int64, subject *behalfv1.AuthorizedSubject, enveloped bool) {
	if user == 0 {
		answerEmpty(w, r, http.StatusForbidden, reasonOtherUser)
		return
	}
	a.answerAuthorized(w, r, subject, nil, enveloped)
}

// endUserScopes are the scopes of which a user's token needs one at enduser/authorizedparties.
var endUserScopes = []string{"altinn:accessmanagement/authorizedparties", "altinn:portal/enduser"}

// listAuthorizedForUser answers GET enduser/authorizedparties.
func (a *API) listAuthorizedForUser(w http.ResponseWriter, r *http.Request, caller *behalfv1.GetCallerResponse) {
	if !slices.ContainsFunc(caller.GetGranted(), func(scope string) bool { return slices.Contains(endUserScopes, scope) }) {
		answerEmpty(w, r, http.StatusForbidden, "SCOPE_MISSING")
		return
	}
	a.listAuthorized(w, r, caller.GetUserId(), nil, true)
}

// listAuthorizedBy answers GET {party}/authorizedparties, for who administers the party's
// access.
func (a *API) listAuthorizedBy(w http.ResponseWriter, r *http.Request, user int64, segment string) {
	ref := partyNamed(typedValue{"urn:altinn:partyid", segment})
	if isUUID(segment) {
		ref = partyNamed(typedValue{"urn:altinn:party:uuid", segment})
	}
	if ref == nil {
		a.answerValidation(w, r, "/$PATH/party", "The party must be a partyId or a UUID.")
		return
	}
	a.listAuthorized(w, r, user, &behalfv1.AuthorizedSubject{Subject: &behalfv1.AuthorizedSubject_Party{Party: ref}}, false)
}

// ownersQuestion is what a resource owner asks.
type ownersQuestion struct {
	typedValue

	PartyFilter []typedValue `json:"partyFilter"`
}

// listAuthorizedOf answers POST resourceowner/authorizedparties: what anybody may act for.
func (a *API) listAuthorizedOf(w http.ResponseWriter, r *http.Request, caller *behalfv1.GetCallerResponse) {
	if caller.GetKind() != behalfv1.CallerKind_CALLER_KIND_SERVICE {
		answerEmpty(w, r, http.StatusForbidden, "SERVICES_ONLY")
		return
	}
	var q ownersQuestion
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion)).Decode(&q); err != nil {
		a.answerValidation(w, r, "/", "The body must be a JSON object with type and value.")
		return
	}
	subject := subjectNamed(q.typedValue)
	if subject == nil {
		a.answerValidation(w, r, "/type", "The type and value name no subject that can be asked about.")
		return
	}
	var only []*behalfv1.PartyReference
	for i, v := range q.PartyFilter {
		ref := partyNamed(v)
		if ref == nil {
			a.answerValidation(w, r, "/partyFilter/"+strconv.Itoa(i), "The type and value name no party.")
			return
		}
		only = append(only, ref)
	}
	a.answerAuthorized(w, r, subject, only, false)
}

// subjectNamed returns the subject that an identifier names, nil when it can name none.
func subjectNamed(v typedValue) *behalfv1.AuthorizedSubject {
	switch v.Type {
	case "urn:altinn:userid", "urn:altinn:user:id":
		if id := readID(v.Value); id > 0 {
			return &behalfv1.AuthorizedSubject{Subject: &behalfv1.AuthorizedSubject_UserId{UserId: id}}
		}
		return nil
	case "urn:altinn:systemuser:uuid":
		if isUUID(v.Value) {
			return &behalfv1.AuthorizedSubject{Subject: &behalfv1.AuthorizedSubject_SystemUserId{SystemUserId: v.Value}}
		}
		return nil
	}
	if ref := partyNamed(v); ref != nil {
		return &behalfv1.AuthorizedSubject{Subject: &behalfv1.AuthorizedSubject_Party{Party: ref}}
	}
	return nil
}

// envelope is a list with the way to its next page.
type envelope struct {
	Links struct {
		Next *string `json:"next"`
	} `json:"links"`
	Data []authorizedParty `json:"data"`
}

func (a *API) answerAuthorized(
	w http.ResponseWriter, r *http.Request, subject *behalfv1.AuthorizedSubject, only []*behalfv1.PartyReference, enveloped bool,
) {
	params := readQuery(r.URL.RawQuery)
	req, before := authorizedRequest(params)
	if params.errors != nil {
		a.answerInvalid(w, r, params.errors)
		return
	}
	req.Subject, req.Parties = subject, only
	for _, id := range params.all("partyFilter") {
		ref := partyNamed(typedValue{"urn:altinn:party:uuid", id})
		if ref == nil {
			a.answerValidation(w, r, "/$QUERY/partyFilter", "A party must be given by its UUID.")
			return
		}
		req.Parties = append(req.Parties, ref)
	}
	list, err := a.authorized.ListAuthorizedParties(r.Context(), req)
	if err != nil {
		a.answerNotAuthorized(w, r, err)
		return
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(int(list.GetTotalSize())))
	next := ""
	if token := list.GetNextPageToken(); token != "" {
		next = (&url.URL{Path: r.URL.Path}).EscapedPath() + "?" + params.with("cursor", token)
		w.Header().Set("Link", "<"+next+`>; rel="next"`)
	}
	parties := convertAuthorized(list.GetParties(), nil, before)
	if !enveloped {
		a.answerJSON(w, r, http.StatusOK, contentJSON, parties)
		return
	}
	e := envelope{Data: parties}
	if next != "" {
		e.Links.Next = &next
	}
	a.answerJSON(w, r, http.StatusOK, contentJSON, e)
}

// authorizedParty answers GET authorizedparty/{partyId}: one party of the user's list.
func (a *API) authorizedParty(w http.ResponseWriter, r *http.Request, user int64, segment string) {
	params := readQuery(r.URL.RawQuery)
	id := params.parse("partyId", segment)
	req, before := authorizedRequest(params)
	switch {
	case user == 0:
		answerEmpty(w, r, http.StatusForbidden, reasonOtherUser)
		return
	case params.errors != nil:
		a.answerInvalid(w, r, params.errors)
		return
	}
	req.PageSize, req.PageToken = 0, ""
	list, err := a.authorized.ListAuthorizedParties(r.Context(), req)
	if err != nil {
		a.answerNotAuthorized(w, r, err)
		return
	}
	for _, p := range convertAuthorized(list.GetParties(), nil, before) {
		for _, candidate := range append([]authorizedParty{p}, p.SubUnits...) {
			if candidate.PartyID == id {
				a.answerJSON(w, r, http.StatusOK, contentJSON, candidate)
				return
			}
		}
	}
	a.answerInvalid(w, r, map[string][]string{"partyId": {"The party ID must be one of the user's authorized parties."}})
}
