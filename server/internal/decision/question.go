package decision

import (
	"context"
	"slices"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// question is one question on its way to an answer. Its request is a copy that grows by
// what is found for it.
type question struct {
	call     *call
	request  *xacml.Request
	resource Resource
	subject  Subject
	action   string

	instance string      // {partyId}/{UUID}, as the request names it
	lacksApp bool        // the app is named by the resource's id only
	owner    party.Party // whose the resource is
	person   party.Party // the user's own party, if the register has it
	actor    party.Party // the subject itself, when it is named as a party

	delegatedPath []Path // by which a right is delegated
}

// newQuestion returns a question about a copy of r: what is appended to the copy's
// categories leaves r as it is.
func newQuestion(c *call, r *xacml.Request) *question {
	one := *r
	one.Categories = slices.Clone(r.Categories)
	for i := range one.Categories {
		one.Categories[i].Attributes = slices.Clip(one.Categories[i].Attributes)
	}
	return &question{call: c, request: &one}
}

// understand takes the steps that need no policy: it finds out what is asked about, and
// supplies it in every form.
func (q *question) understand(ctx context.Context) error {
	if err := q.readResource(); err != nil {
		return err
	}
	action, err := single(q.category(xacml.ActionCategory), idAction)
	if err != nil {
		return err // else a rule for the one would permit the other
	}
	q.action = action
	if err := q.findInstance(ctx); err != nil {
		return err
	}
	if err := q.findParty(); err != nil {
		return err
	}
	if err := q.normalise(); err != nil {
		return err
	}
	if err := q.normaliseInstance(); err != nil {
		return err
	}
	return q.readSubject()
}

// category returns the attributes of a category, nil if the request has none.
func (q *question) category(name string) *xacml.Attributes {
	for i := range q.request.Categories {
		if q.request.Categories[i].Category == name {
			return &q.request.Categories[i]
		}
	}
	return nil
}

// supply adds an attribute that was found.
func (q *question) supply(category, id string, texts ...string) {
	q.add(category, id, false, stringValues(texts))
}

// supplyBack adds an attribute that was found and comes back with the answer.
func (q *question) supplyBack(category, id string, texts ...string) {
	q.add(category, id, true, stringValues(texts))
}

func stringValues(texts []string) []xacml.AttributeValue {
	values := make([]xacml.AttributeValue, len(texts))
	for i, text := range texts {
		values[i] = xacml.StringValue(text)
	}
	return values
}

func (q *question) add(category, id string, back bool, values []xacml.AttributeValue) {
	if len(values) == 0 {
		return
	}
	c := q.category(category)
	if c == nil {
		q.request.Categories = append(q.request.Categories, xacml.Attributes{Category: category})
		c = &q.request.Categories[len(q.request.Categories)-1]
	}
	c.Attributes = append(c.Attributes, xacml.Attribute{ID: id, IncludeInResult: back, Values: values})
}

// single returns the value of an attribute that can have one only, "" if it is not there.
// Two that differ are refused: nobody could say which of them was decided about.
func single(c *xacml.Attributes, id string) (string, error) {
	text := ""
	if c == nil {
		return "", nil
	}
	for i := range c.Attributes {
		if c.Attributes[i].ID != id {
			continue
		}
		for _, v := range c.Attributes[i].Values {
			if text != "" && v.Text != text && id != idInstanceRef {
				return "", wrong("the request has two values of %s, %s and %s", id, shown(id, text), shown(id, v.Text))
			}
			text = v.Text
		}
	}
	return text, nil
}

// single0 returns the value of an attribute of which nothing is decided yet.
func single0(c *xacml.Attributes, id string) string {
	text, _ := single(c, id)
	return text
}

// shown returns a value for a message. Messages are logged, and national identity numbers
// are not.
func shown(id, text string) string {
	if id == idPersonNumber || id == idSSN {
		return "one number"
	}
	return strconv.Quote(clip(text))
}

// clip keeps a message short.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
