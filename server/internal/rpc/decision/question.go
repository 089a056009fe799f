package decision

import (
	"strconv"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// userID is the attribute by which a user is named.
const userID = "urn:altinn:userid"

// ask adds a question to a request. An end user asks about himself, and claims nothing
// else about himself.
func ask(who caller.Caller, to *xacml.Request, q *behalfv1.DecisionQuestion) error {
	subject := q.GetSubject()
	switch who.Kind {
	case caller.User:
		own := strconv.FormatInt(who.UserID, 10)
		if len(subject) == 0 {
			subject = []*behalfv1.Attribute{{Id: userID, Values: []string{own}}}
		}
		if len(subject) != 1 || subject[0].GetId() != userID || len(subject[0].GetValues()) != 1 || subject[0].GetValues()[0] != own {
			return fault.New(fault.Denied, fault.ReasonOtherUser, "a user may ask about himself only, and name himself by nothing but %s", userID)
		}
	case caller.Service:
		if len(subject) == 0 {
			e := fault.Field("question.subject", "a service must say whom it asks about")
			e.Reason = fault.ReasonUserRequired
			return e
		}
	case caller.Nobody:
		return fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no credentials")
	}
	var chosen []int
	for _, c := range []struct {
		category   string
		attributes []*behalfv1.Attribute
	}{
		{xacml.SubjectCategory, subject},
		{xacml.ActionCategory, q.GetAction()},
		{xacml.ResourceCategory, q.GetResource()},
		{xacml.EnvironmentCategory, q.GetEnvironment()},
	} {
		if len(c.attributes) == 0 {
			continue
		}
		chosen = append(chosen, len(to.Categories))
		to.Categories = append(to.Categories, xacml.Attributes{Category: c.category, Attributes: attributes(c.attributes)})
	}
	to.Questions = append(to.Questions, xacml.Question{Categories: chosen})
	return nil
}

func attributes(given []*behalfv1.Attribute) []xacml.Attribute {
	out := make([]xacml.Attribute, len(given))
	for i, a := range given {
		out[i] = xacml.Attribute{ID: a.GetId(), IncludeInResult: a.GetIncludeInResult()}
		dataType := fullType(a.GetDataType())
		for _, text := range a.GetValues() {
			out[i].Values = append(out[i].Values, xacml.AttributeValue{DataType: dataType, Text: text})
		}
	}
	return out
}

// fullType returns the URI of a data type that may be named in short.
func fullType(name string) string {
	if name == "" {
		return value.StringURI
	}
	if kind := value.KindNamed(strings.TrimPrefix(name, "xs:")); kind != value.Unknown {
		return kind.URI()
	}
	return name
}
