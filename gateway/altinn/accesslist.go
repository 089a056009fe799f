package altinn

import (
	"encoding/json"
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// platformHeader carries the token by which a part of the platform says which it is.
const platformHeader = "PlatformAccessToken"

// maxQuestion bounds the bodies that ask one thing.
const maxQuestion = 1 << 20

// typedValue is an identifier with what kind it is, as Altinn writes it.
type typedValue struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// listQuestion is a question about access lists, which its answer repeats.
type listQuestion struct {
	Subject  typedValue `json:"subject"`
	Resource typedValue `json:"resource"`
	Action   typedValue `json:"action"`
	Result   string     `json:"result,omitempty"`
}

// authorizeByList answers POST accesslist/accessmanagement/authorization: whether an access
// list opens a resource to an organisation. It is for parts of the platform.
func (a *API) authorizeByList(w http.ResponseWriter, r *http.Request) {
	if len(r.Header.Values(platformHeader)) != 1 {
		answerEmpty(w, r, http.StatusUnauthorized, "CREDENTIALS_MISSING")
		return
	}
	var q listQuestion
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion)).Decode(&q); err != nil {
		a.answerInvalid(w, r, map[string][]string{"": {"The body is not a JSON object with subject, resource and action."}})
		return
	}
	wrong := make(map[string][]string)
	ref := partyNamed(q.Subject)
	if ref == nil {
		wrong["subject"] = []string{"The subject must be a party, such as urn:altinn:organization:identifier-no with nine digits."}
	}
	if q.Resource.Type != "urn:altinn:resource" || q.Resource.Value == "" {
		wrong["resource"] = []string{"The resource must be of type urn:altinn:resource, with an id."}
	}
	if q.Action.Value == "" {
		wrong["action"] = []string{"The action must have a value."}
	}
	if len(wrong) > 0 {
		// Who may not ask learns nothing of what was wrong.
		if _, err := a.callers.GetCaller(r.Context(), &behalfv1.GetCallerRequest{}); err != nil {
			a.answerError(w, r, err)
			return
		}
		a.answerInvalid(w, r, wrong)
		return
	}
	answer, err := a.registry.AuthorizeByAccessList(r.Context(), &behalfv1.AuthorizeByAccessListRequest{
		Party: ref, Resource: q.Resource.Value, Action: q.Action.Value,
	})
	if err != nil {
		if p := problem.FromError(err); p.Code == problem.CodeName(codes.PermissionDenied) {
			answerEmpty(w, r, http.StatusUnauthorized, p.Reason) // the token is none of the platform's
			return
		}
		a.answerError(w, r, err)
		return
	}
	switch answer.GetResult() {
	case behalfv1.AccessListResult_ACCESS_LIST_RESULT_AUTHORIZED:
		q.Result = "Authorized"
	case behalfv1.AccessListResult_ACCESS_LIST_RESULT_NOT_AUTHORIZED:
		q.Result = "NotAuthorized"
	case behalfv1.AccessListResult_ACCESS_LIST_RESULT_NOT_DETERMINED, behalfv1.AccessListResult_ACCESS_LIST_RESULT_UNSPECIFIED:
		q.Result = "NotDetermined"
	}
	a.answerJSON(w, r, http.StatusOK, contentJSON, q)
}

// partyNamed returns the party that an identifier names, nil when it can name none.
func partyNamed(v typedValue) *behalfv1.PartyReference {
	switch v.Type {
	case "urn:altinn:partyid", "urn:altinn:party:id":
		if id := readID(v.Value); id > 0 {
			return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: id}}
		}
	case "urn:altinn:person:uuid", "urn:altinn:organization:uuid", "urn:altinn:party:uuid":
		if isUUID(v.Value) {
			return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyUuid{PartyUuid: v.Value}}
		}
	case "urn:altinn:organization:identifier-no", "urn:altinn:organizationnumber":
		if isDigits(v.Value, 9) {
			return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_OrgNumber{OrgNumber: v.Value}}
		}
	case "urn:altinn:person:identifier-no":
		if isDigits(v.Value, 11) {
			return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_NationalId{NationalId: v.Value}}
		}
	}
	return nil
}
