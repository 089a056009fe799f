package altinn

import (
	"net/http"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// role is a role as Altinn writes it.
type role struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// listRoles answers GET roles: the roles of the user for a party. Here the refusal of
// another user comes before the ids are looked at, unlike on the parties' paths.
func (a *API) listRoles(w http.ResponseWriter, r *http.Request, user int64) {
	params := readQuery(r.URL.RawQuery)
	asked := params.int("coveredByUserId")
	partyID := params.int("offeredByPartyId")
	switch {
	case params.errors != nil:
		a.answerInvalid(w, r, params.errors)
		return
	case user == 0 || asked != user: // a service has no user, and 0 is nobody's
		answerEmpty(w, r, http.StatusForbidden, reasonOtherUser)
		return
	case partyID == 0:
		a.answerInvalid(w, r, map[string][]string{"offeredByPartyId": {"The offeredByPartyId must be given and not be 0."}})
		return
	case partyID < 0: // no party has it; the services take no such number
		answerEmpty(w, r, http.StatusNotFound, reasonNone)
		return
	}
	list, err := a.roles.ListRoles(r.Context(), &behalfv1.ListRolesRequest{PartyId: partyID, UserId: user})
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	if len(list.GetRoles()) == 0 {
		answerEmpty(w, r, http.StatusNotFound, reasonNone)
		return
	}
	out := make([]role, len(list.GetRoles()))
	for i, held := range list.GetRoles() {
		out[i] = role{Type: "altinn", Value: held.GetCode()}
	}
	a.answerJSON(w, r, http.StatusOK, contentJSON, out)
}
