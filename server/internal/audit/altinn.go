package audit

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// event is the event of a decision as Altinn's authorization puts it into its queue. Its
// names are spelled as there.
type event struct {
	SessionID        *string   `json:"sessionId"`
	Created          time.Time `json:"created"`
	SubjectUserID    *int64    `json:"subjectUserId"`
	SubjectOrgCode   string    `json:"subjectOrgCode"`
	SubjectOrgNumber *int64    `json:"subjectOrgNumber"`
	SubjectParty     *int64    `json:"subjectParty"`
	ResourcePartyID  *int64    `json:"resourcePartyId"`
	Resource         string    `json:"resource"`
	InstanceID       string    `json:"instanceId"`
	Operation        string    `json:"operation"`
	Address          *string   `json:"ipAdress"`
	Request          *string   `json:"contextRequestJson"`
	Decision         string    `json:"decision"`
	SubjectPartyUUID *string   `json:"subjectPartyUuid"`
}

// altinnEvent returns the event of an answer. The request is nil where there was none.
func altinnEvent(e *Entry, created time.Time, r *xacml.Request) []byte {
	out := event{
		SessionID: some(e.Session), Created: created.UTC(), SubjectUserID: some(e.User), SubjectOrgCode: e.OrgCode,
		ResourcePartyID: some(e.Party), Resource: e.Resource, InstanceID: e.Instance, Operation: e.Action,
		Address: some(clientAddress(e)), Decision: e.Decision,
	}
	if number, err := strconv.ParseInt(e.OrgNumber, 10, 64); err == nil {
		out.SubjectOrgNumber = &number
	}
	if e.User == 0 {
		// A user is told by his id alone, there as here.
		out.SubjectParty, out.SubjectPartyUUID = some(e.SubjectParty), some(e.SubjectPartyUUID)
	}
	if e.SystemUser != "" {
		out.SubjectPartyUUID = &e.SystemUser
	}
	if r != nil {
		text := string(contextRequest(r))
		out.Request = &text
	}
	text, err := json.Marshal(out)
	if err != nil {
		return []byte("{}") // numbers, strings and a time have JSON
	}
	return text
}

// some returns a pointer to a value that is not zero.
func some[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// clientAddress returns the address of the client as it is told, as Altinn does, else that of
// who is at the other end.
func clientAddress(e *Entry) string {
	if first, _, _ := strings.Cut(e.Forwarded, ","); strings.TrimSpace(first) != "" {
		return strings.TrimSpace(first)
	}
	if host, _, err := net.SplitHostPort(e.Address); err == nil {
		return host
	}
	return e.Address
}

// The request as Altinn's serializer writes it.
type (
	contextJSON struct {
		ReturnPolicyIDs bool           `json:"returnPolicyIdList"`
		Combined        bool           `json:"combinedDecision"`
		XPathVersion    *string        `json:"xPathVersion"`
		Categories      []categoryJSON `json:"attributes"`
		References      []struct{}     `json:"requestReferences"`
	}
	categoryJSON struct {
		ID         *string         `json:"id"`
		Content    *string         `json:"content"`
		Attributes []attributeJSON `json:"attributes"`
		Category   string          `json:"category"`
	}
	attributeJSON struct {
		Issuer  *string     `json:"issuer"`
		ID      string      `json:"attributeId"`
		Include bool        `json:"includeInResult"`
		Values  []valueJSON `json:"attributeValues"`
	}
	valueJSON struct {
		Value      string     `json:"value"`
		DataType   string     `json:"dataType"`
		Attributes []struct{} `json:"attributes"`
		Elements   []struct{} `json:"elements"`
	}
)

// contextRequest returns the question with all that was found for it.
func contextRequest(r *xacml.Request) []byte {
	out := contextJSON{ReturnPolicyIDs: r.ReturnPolicyIDs, Combined: r.Combined, References: []struct{}{}}
	for i := range r.Categories {
		c := &r.Categories[i]
		category := categoryJSON{ID: some(c.ID), Category: c.Category, Attributes: []attributeJSON{}}
		for _, a := range c.Attributes {
			attribute := attributeJSON{Issuer: some(a.Issuer), ID: a.ID, Include: a.IncludeInResult, Values: []valueJSON{}}
			for _, v := range a.Values {
				attribute.Values = append(attribute.Values, valueJSON{hiddenValue(a.ID, v.Text), v.DataType, []struct{}{}, []struct{}{}})
			}
			category.Attributes = append(category.Attributes, attribute)
		}
		out.Categories = append(out.Categories, category)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil // there are only strings and flags in it
	}
	return text
}
