package decision

import (
	"context"
	"slices"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/jsonform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// maxBody bounds a body of XACML.
const maxBody = 4 << 20

// Scopes of Altinn's, either of which opens POST authorize.
const (
	scopeAuthorize      = "altinn:authorization/authorize"
	scopeAuthorizeAdmin = "altinn:authorization/authorize.admin"
)

// DecideXACML answers a request of XACML 3.0.
func (s *Server) DecideXACML(ctx context.Context, req *behalfv1.DecideXACMLRequest) (*behalfv1.DecideXACMLResponse, error) {
	door, err := door(caller.From(ctx), req.GetDoor())
	if err != nil {
		return nil, err
	}
	form := formOf(req.GetContentType(), door)
	asked, err := form.read(req.GetBody())
	if err != nil {
		failed := xacml.Failed(xacml.StatusSyntaxError, err.Error())
		return form.answer(failed, &decision.Response{Answers: []decision.Answer{{Result: failed.Results[0], Reason: "the request cannot be read"}}})
	}
	response, err := s.decide(ctx, decision.Request{
		XACML: asked, Door: door, At: relation.At{AtLeast: relation.Revision(req.GetAtLeastAsFresh())},
	})
	if err != nil {
		return nil, err
	}
	results := make([]xacml.Result, len(response.Answers))
	for i := range response.Answers {
		results[i] = response.Answers[i].Result
	}
	return form.answer(&xacml.Response{Results: results}, &response)
}

// door returns the door that a caller may use.
func door(who caller.Caller, asked behalfv1.DecisionDoor) (decision.Door, error) {
	if who.Kind != caller.Service {
		return 0, fault.New(fault.Denied, fault.ReasonServicesOnly, "the call is open to services only")
	}
	switch asked {
	case behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_AUTHORIZE:
		if slices.Contains(who.Granted, scopeAuthorize) || slices.Contains(who.Granted, scopeAuthorizeAdmin) {
			return decision.External, nil
		}
		return 0, missing(scopeAuthorize)
	case behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION:
		if who.Has(caller.Decide) || who.Has(caller.Gateway) {
			return decision.Internal, nil
		}
	case behalfv1.DecisionDoor_DECISION_DOOR_UNSPECIFIED:
		if who.Has(caller.Decide) {
			return decision.Native, nil
		}
	}
	return 0, missing(string(caller.Decide))
}

func missing(scope string) error {
	return fault.New(fault.Denied, fault.ReasonScopeMissing, "the call needs the scope %s", scope).With("scope", scope)
}

// form is how a request is written and its response is to be.
type form struct {
	json   bool
	altinn bool // spelled as Altinn's clients expect
}

// formOf returns the form of a content type. At Altinn's doors only application/json is
// JSON.
func formOf(contentType string, d decision.Door) form {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	f := form{json: strings.HasSuffix(mediaType, "json"), altinn: d == decision.Internal || d == decision.External}
	if d == decision.External { // which has no XML
		f.json = true
	}
	return f
}

func (f form) read(body []byte) (*xacml.Request, error) {
	limits := xmltree.Limits{Bytes: maxBody}
	if f.json {
		return jsonform.ReadRequest(body, limits)
	}
	return xmlform.ReadRequest(body, limits)
}

// altinnStyle is how Altinn writes JSON: in camel case, with nulls, all values as texts,
// and two names of its own.
var altinnStyle = jsonform.Style{
	CamelCase: true, Nulls: true, Strings: true,
	Rename: map[string]string{"AssociatedAdvice": "associateAdvice", "StatusDetail": "statusDetails"},
}

func (f form) answer(r *xacml.Response, of *decision.Response) (*behalfv1.DecideXACMLResponse, error) {
	out := &behalfv1.DecideXACMLResponse{
		Revision:  string(of.Revision),
		Permitted: len(r.Results) == 1 && r.Results[0].Decision == xacml.Permit,
	}
	out.Summary, out.Reason = summary(of.Answers)
	if !f.json {
		out.Body, out.ContentType = xmlform.WriteResponse(r), "application/xml; charset=utf-8"
		return out, nil
	}
	style := jsonform.Style{}
	out.ContentType = "application/xacml+json"
	if f.altinn {
		style, out.ContentType = altinnStyle, "application/json; charset=utf-8"
	}
	var err error
	out.Body, err = jsonform.WriteResponse(r, style)
	return out, err
}
