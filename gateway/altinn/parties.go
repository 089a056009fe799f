package altinn

import (
	"net/http"
	"strconv"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Reasons for the log; the answers are empty, as Altinn's.
const (
	reasonNotAsked  = "NOTHING_ASKED" // an id is missing or 0
	reasonOtherUser = "OTHER_USER"    // the user asked about is not the token's
	reasonNone      = "EMPTY"         // there is nothing to list
)

// maxLimit is the longest page.
const maxLimit = 10000

// listParties answers GET parties: whom the user may act for.
func (a *API) listParties(w http.ResponseWriter, r *http.Request, user int64) {
	params := readQuery(r.URL.RawQuery)
	asked := params.int("userid")
	req := listRequest(params)
	switch {
	case params.errors != nil:
		a.answerInvalid(w, r, params.errors)
		return
	case asked == 0:
		answerEmpty(w, r, http.StatusNotFound, reasonNotAsked)
		return
	case asked != user:
		answerEmpty(w, r, http.StatusForbidden, reasonOtherUser)
		return
	}
	req.UserId = user
	list, err := a.parties.ListParties(r.Context(), req)
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	// A page behind the first can be empty without the list being so.
	if len(list.GetParties()) == 0 && req.GetPageToken() == "" {
		answerEmpty(w, r, http.StatusNotFound, reasonNone)
		return
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(int(list.GetTotalSize())))
	if next := list.GetNextPageToken(); next != "" {
		w.Header().Set("Link", "<"+prefix+"parties?"+params.with("cursor", next)+`>; rel="next"`)
	}
	a.answerParties(w, r, list.GetParties())
}

// listRequest reads the parameters that Altinn does not have.
func listRequest(params *parameters) *behalfv1.ListPartiesRequest {
	req := &behalfv1.ListPartiesRequest{
		GroupSubUnits:  true,
		ExcludeDeleted: !params.bool("includeDeleted", true),
	}
	req.Search, _ = params.text("search")
	req.Role, _ = params.text("role")
	req.Package, _ = params.text("package")
	req.Resource, _ = params.text("resource")
	req.Action, _ = params.text("action")
	req.PageToken, _ = params.text("cursor")
	if limit := params.int("limit"); limit != 0 {
		if limit < 1 || limit > maxLimit {
			params.refuse("limit", "The limit must be between 1 and "+strconv.Itoa(maxLimit)+".")
		}
		req.PageSize = int32(limit)
	}
	switch sort, _ := params.text("sort"); strings.ToLower(sort) {
	case "", "name":
		req.Order = behalfv1.PartyOrder_PARTY_ORDER_NAME
	case "number":
		req.Order = behalfv1.PartyOrder_PARTY_ORDER_NUMBER
	default:
		params.refuse("sort", "The value '"+sort+"' is not valid: give name or number.")
	}
	return req
}

// validateParty answers GET parties/{partyId}/validate: whether the user may act for the party.
func (a *API) validateParty(w http.ResponseWriter, r *http.Request, user int64, segment string) {
	params := readQuery(r.URL.RawQuery)
	partyID := params.parse("partyId", segment)
	asked := params.int("userid")
	switch {
	case params.errors != nil:
		a.answerInvalid(w, r, params.errors)
		return
	case asked == 0 || partyID == 0:
		answerEmpty(w, r, http.StatusNotFound, reasonNotAsked)
		return
	case asked != user:
		answerEmpty(w, r, http.StatusForbidden, reasonOtherUser)
		return
	case partyID < 0: // no party has it; the services take no such number
		a.answerJSON(w, r, http.StatusOK, contentJSON, false)
		return
	}
	valid, err := a.parties.ValidateParty(r.Context(), &behalfv1.ValidatePartyRequest{PartyId: partyID, UserId: user})
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	a.answerJSON(w, r, http.StatusOK, contentJSON, valid.GetMayRepresent())
}

// typeName returns Altinn's partyTypeName. Altinn lists sub-units as organisations; their
// unit type tells them apart.
func typeName(kind behalfv1.PartyKind) int {
	switch kind {
	case behalfv1.PartyKind_PARTY_KIND_PERSON:
		return 1
	case behalfv1.PartyKind_PARTY_KIND_ORGANISATION, behalfv1.PartyKind_PARTY_KIND_SUB_UNIT:
		return 2
	case behalfv1.PartyKind_PARTY_KIND_SELF_IDENTIFIED:
		return 3
	case behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE:
		return 5
	case behalfv1.PartyKind_PARTY_KIND_UNSPECIFIED:
	}
	return 0
}
