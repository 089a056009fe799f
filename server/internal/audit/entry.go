package audit

import (
	"strconv"
	"time"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Kind is what was answered.
type Kind string

// The kinds.
const (
	Decision Kind = "decision" // by a policy or what stands for one
	Check    Kind = "check"    // whether a subject has a permission
	List     Kind = "list"     // of parties, or who may represent one
	Validate Kind = "validate" // whether a user may represent a party
	Change   Kind = "change"   // of who somebody is
)

// Entry is the record of one answer. Zero fields are not known, or there is nothing to say.
// Its JSON is that of behalf.v1.AuditRecord, but for numbers, which are numbers.
type Entry struct {
	ID   string    `json:"id,omitempty"` // of one that was read
	Time time.Time `json:"time"`         // when it was recorded; no two of a server have the same
	Kind Kind      `json:"kind"`
	Door string    `json:"door,omitempty"`

	Caller    string `json:"caller,omitempty"`    // user/<id> or service/<name>
	Address   string `json:"address,omitempty"`   // of the client
	Forwarded string `json:"forwarded,omitempty"` // the addresses that it tells of, hearsay
	RequestID string `json:"requestId,omitempty"`

	User             int64  `json:"userId,omitempty"`
	SubjectParty     int64  `json:"subjectPartyId,omitempty"`
	SubjectPartyUUID string `json:"subjectPartyUuid,omitempty"`
	SystemUser       string `json:"systemUser,omitempty"`
	OrgCode          string `json:"orgCode,omitempty"`
	OrgNumber        string `json:"orgNumber,omitempty"`
	Subject          string `json:"subject,omitempty"` // of a check, as type:id
	Session          string `json:"session,omitempty"`

	ResourceType string `json:"resourceType,omitempty"`
	Resource     string `json:"resource,omitempty"`
	Org          string `json:"org,omitempty"`
	App          string `json:"app,omitempty"`
	Party        int64  `json:"partyId,omitempty"` // whose the resource is
	Instance     string `json:"instance,omitempty"`
	Task         string `json:"task,omitempty"`
	EndEvent     string `json:"endEvent,omitempty"`
	Action       string `json:"action,omitempty"`

	Decision     string      `json:"decision"` // Permit, Deny, NotApplicable, Indeterminate; of a list or a change Answered
	Status       string      `json:"status,omitempty"`
	By           string      `json:"by,omitempty"`
	Reason       string      `json:"reason,omitempty"`
	Policy       string      `json:"policy,omitempty"`
	Revision     string      `json:"revision,omitempty"`
	Microseconds int64       `json:"latencyMicroseconds,omitempty"`
	Obligations  []string    `json:"obligations,omitempty"`
	Attributes   []Attribute `json:"attributes,omitempty"` // of the question, with all that was found for it
}

// Attribute is an attribute that a decision was taken by.
type Attribute struct {
	Category string   `json:"category"` // subject, resource, action, environment or a URN
	ID       string   `json:"id"`
	Values   []string `json:"values"`
}

// categories are the names of those categories that have one.
var categories = map[string]string{
	xacml.SubjectCategory:     "subject",
	xacml.ResourceCategory:    "resource",
	xacml.ActionCategory:      "action",
	xacml.EnvironmentCategory: "environment",
}

// entryOf returns what is recorded of a decision.
func entryOf(r *decision.Record) Entry {
	e := Entry{
		Time: r.Time, Kind: Decision, Door: r.Door.String(),
		Caller: r.Origin.Caller, Address: r.Origin.Address, Forwarded: r.Origin.Forwarded, RequestID: r.Origin.RequestID,
		User: int64(r.Subject.User), SubjectParty: int64(r.Subject.Party), SubjectPartyUUID: r.Subject.PartyUUID,
		SystemUser: r.Subject.SystemUser, OrgCode: r.Subject.OrgCode, OrgNumber: r.Subject.OrgNumber, Session: r.Session,
		ResourceType: r.Resource.Type, Resource: r.Resource.ID, Org: r.Resource.Org, App: r.Resource.App,
		Party: int64(r.Resource.Party), Instance: r.Resource.Instance, Task: r.Resource.Task, EndEvent: r.Resource.EndEvent,
		Action: r.Action, Decision: r.Decision.String(), Status: string(r.Status), By: r.By.String(), Reason: r.Reason,
		Policy: r.Policy, Revision: string(r.Revision), Microseconds: r.Latency.Microseconds(),
	}
	for _, o := range r.Obligations {
		e.Obligations = append(e.Obligations, o.ID)
	}
	if r.Request != nil {
		e.Attributes = attributesOf(r.Request)
	}
	e.hide()
	return e
}

// attributesOf returns the attributes of a question.
func attributesOf(r *xacml.Request) []Attribute {
	var out []Attribute
	for i := range r.Categories {
		c := &r.Categories[i]
		name, short := categories[c.Category]
		if !short {
			name = c.Category
		}
		for _, a := range c.Attributes {
			values := make([]string, len(a.Values))
			for k, v := range a.Values {
				values[k] = hiddenValue(a.ID, v.Text)
			}
			out = append(out, Attribute{name, a.ID, values})
		}
	}
	return out
}

// hide hides national identity numbers in what others have given as text. Addresses, codes,
// hashes and what the server numbers itself cannot hold one.
func (e *Entry) hide() {
	for _, text := range []*string{
		&e.Caller, &e.Forwarded, &e.RequestID, &e.Subject, &e.Session, &e.ResourceType, &e.Resource, &e.Org, &e.App,
		&e.Instance, &e.Task, &e.EndEvent, &e.Action, &e.Reason, &e.OrgCode, &e.OrgNumber, &e.SystemUser, &e.SubjectPartyUUID,
	} {
		*text = hidden(*text)
	}
}

// Object sets an object of the relation graph as the resource.
func (e *Entry) Object(kind, id string) {
	e.ResourceType, e.Resource = kind, id
	if kind == "party" {
		e.Party, _ = strconv.ParseInt(id, 10, 64) // ids of others' making are of no party of ours
	}
}
