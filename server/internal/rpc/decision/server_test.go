package decision_test

import (
	"context"
	"strings"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	decisionrpc "github.com/behalf-authz/behalf/server/internal/rpc/decision"
)

// zero is a decider that answers every question with the zero Answer.
type zero struct{ asked *decision.Request }

func (z *zero) Decide(_ context.Context, r decision.Request) (decision.Response, error) {
	z.asked = &r
	return decision.Response{Answers: make([]decision.Answer, max(1, len(r.XACML.Questions)))}, nil
}

func server(t *testing.T) (*decisionrpc.Server, *zero) {
	t.Helper()
	z := &zero{}
	s, err := decisionrpc.New(decisionrpc.Config{Decisions: z, Origin: func(context.Context) decision.Origin { return decision.Origin{} }})
	if err != nil {
		t.Fatal(err)
	}
	return s, z
}

func service(t *testing.T, scopes ...caller.Scope) context.Context {
	return caller.With(t.Context(), caller.Caller{Kind: caller.Service, Name: "pep", Scopes: scopes})
}

func attribute(id, value string) []*behalfv1.Attribute {
	return []*behalfv1.Attribute{{Id: id, Values: []string{value}}}
}

const requestJSON = `{"Request":{"AccessSubject":[{"Attribute":[{"AttributeId":"urn:altinn:userid","Value":"7"}]}]}}`

const requestXML = `<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" CombinedDecision="false" ReturnPolicyIdList="false"/>`

// TestZeroDecisionLetsNobodyIn sends the zero decision through every call.
func TestZeroDecisionLetsNobodyIn(t *testing.T) {
	s, _ := server(t)
	ctx := service(t, caller.Decide)
	question := &behalfv1.DecisionQuestion{Subject: attribute("urn:altinn:userid", "7")}
	one, err := s.Decide(ctx, &behalfv1.DecideRequest{Question: question})
	if err != nil || one.GetDecision().GetEffect() != behalfv1.Effect_EFFECT_UNSPECIFIED {
		t.Errorf("Decide: %v, %v", one, err)
	}
	bulk, err := s.BulkDecide(ctx, &behalfv1.BulkDecideRequest{Questions: []*behalfv1.DecisionQuestion{question, question}})
	if err != nil || len(bulk.GetDecisions()) != 2 || bulk.GetDecisions()[1].GetEffect() != behalfv1.Effect_EFFECT_UNSPECIFIED {
		t.Errorf("BulkDecide: %v, %v", bulk, err)
	}
	for contentType, body := range map[string]string{"application/json": requestJSON, "application/xml": requestXML} {
		for _, door := range []behalfv1.DecisionDoor{0, behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION} {
			answer, err := s.DecideXACML(ctx, &behalfv1.DecideXACMLRequest{Body: []byte(body), ContentType: contentType, Door: door})
			if err != nil {
				t.Fatal(err)
			}
			if text := string(answer.GetBody()); answer.GetPermitted() || strings.Contains(text, "Permit") || !strings.Contains(text, "Indeterminate") {
				t.Errorf("%s at %s: %s", contentType, door, text)
			}
		}
	}
}

// TestUnreadableBodies says that what cannot be read is Indeterminate with a reason, in the
// form it came in.
func TestUnreadableBodies(t *testing.T) {
	s, z := server(t)
	for _, row := range []struct{ contentType, body string }{
		{"application/json", "{"}, {"application/json", ""}, {"application/json", `{"Request":null}`}, {"text/json", "[]"},
		{"application/xml", "<"}, {"", "not XML"}, {"text/xml", `<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>`},
	} {
		answer, err := s.DecideXACML(service(t, caller.Decide), &behalfv1.DecideXACMLRequest{Body: []byte(row.body), ContentType: row.contentType})
		if err != nil {
			t.Fatal(err)
		}
		text := string(answer.GetBody())
		if !strings.Contains(text, "Indeterminate") || !strings.Contains(text, "syntax-error") || strings.HasPrefix(text, "{") != strings.HasSuffix(row.contentType, "json") {
			t.Errorf("%s %q: %s", row.contentType, row.body, text)
		}
	}
	if z.asked != nil {
		t.Error("an unreadable body was asked about")
	}
}

// TestWhoMayAsk says whom a call may ask about, and at which door.
func TestWhoMayAsk(t *testing.T) {
	s, z := server(t)
	user := caller.With(t.Context(), caller.Caller{Kind: caller.User, UserID: 7})
	granted := func(scope string) context.Context {
		return caller.With(t.Context(), caller.Caller{Kind: caller.Service, Name: "maskinporten", Granted: []string{scope}})
	}
	ask := func(ctx context.Context, subject []*behalfv1.Attribute, explain bool) error {
		_, err := s.Decide(ctx, &behalfv1.DecideRequest{Question: &behalfv1.DecisionQuestion{Subject: subject}, Explain: explain})
		return err
	}
	xacml := func(ctx context.Context, door behalfv1.DecisionDoor) error {
		_, err := s.DecideXACML(ctx, &behalfv1.DecideXACMLRequest{Body: []byte(requestJSON), ContentType: "application/json", Door: door})
		return err
	}
	const altinn, outside = behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION, behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_AUTHORIZE
	for name, row := range map[string]struct {
		err  error
		want fault.Reason
	}{
		"user about himself":            {ask(user, nil, false), ""},
		"user about himself by number":  {ask(user, attribute("urn:altinn:userid", "7"), false), ""},
		"user about another":            {ask(user, attribute("urn:altinn:userid", "8"), false), fault.ReasonOtherUser},
		"user who claims a role":        {ask(user, attribute("urn:altinn:rolecode", "dagl"), false), fault.ReasonOtherUser},
		"user about himself and more":   {ask(user, append(attribute("urn:altinn:userid", "7"), attribute("urn:altinn:org", "skd")...), false), fault.ReasonOtherUser},
		"user who wants an explanation": {ask(user, nil, true), fault.ReasonScopeMissing},
		"service about nobody":          {ask(service(t, caller.Decide), nil, false), fault.ReasonUserRequired},
		"service, explained":            {ask(service(t, caller.Decide), attribute("urn:altinn:userid", "7"), true), fault.ReasonScopeMissing},
		"auditor, explained":            {ask(service(t, caller.Decide, caller.AuditRead), attribute("urn:altinn:userid", "7"), true), ""},
		"nobody":                        {ask(t.Context(), nil, false), fault.ReasonCredentialsMissing},
		"XACML by user":                 {xacml(user, 0), fault.ReasonServicesOnly},
		"XACML":                         {xacml(service(t, caller.Decide), 0), ""},
		"XACML without scope":           {xacml(service(t, caller.Check), 0), fault.ReasonScopeMissing},
		"XACML by the gateway":          {xacml(service(t, caller.Gateway), 0), fault.ReasonScopeMissing},
		"decision":                      {xacml(service(t, caller.Decide), altinn), ""},
		"decision by the gateway":       {xacml(service(t, caller.Gateway), altinn), ""},
		"decision without scope":        {xacml(service(t), altinn), fault.ReasonScopeMissing},
		"authorize":                     {xacml(granted("altinn:authorization/authorize"), outside), ""},
		"authorize as administrator":    {xacml(granted("altinn:authorization/authorize.admin"), outside), ""},
		"authorize with another scope":  {xacml(granted("altinn:authorization/other"), outside), fault.ReasonScopeMissing},
		"authorize with our scope":      {xacml(service(t, caller.Decide), outside), fault.ReasonScopeMissing},
		"authorize by the gateway":      {xacml(service(t, caller.Gateway), outside), fault.ReasonScopeMissing},
	} {
		reason := fault.Reason("")
		if f, ok := row.err.(*fault.Error); ok { //nolint:errorlint // the reason of the very error
			reason = f.Reason
		} else if row.err != nil {
			t.Errorf("%s: %v", name, row.err)
		}
		if reason != row.want {
			t.Errorf("%s: %q, want %q", name, reason, row.want)
		}
	}
	if err := ask(user, nil, false); err != nil {
		t.Fatal(err)
	}
	if a := z.asked.XACML.Categories[0].Attributes; len(a) != 1 || a[0].ID != "urn:altinn:userid" || a[0].Values[0].Text != "7" {
		t.Errorf("a user asked about %v", a)
	}
}
