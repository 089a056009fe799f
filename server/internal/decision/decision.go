package decision

import (
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Door is where a request came in, as far as that makes a difference. The zero Door is the
// standard's.
type Door uint8

// The doors.
const (
	Native    Door = iota // XACML 3.0 as it stands
	Internal              // Altinn's decision: for platform components
	External              // Altinn's authorize: takes national identity numbers
	AuthZEN               // OpenID AuthZEN
	Enforcing             // a gateway asks for a route
)

// String returns the door as logs and audit name it.
func (d Door) String() string {
	switch d {
	case Internal:
		return "altinn-decision"
	case External:
		return "altinn-authorize"
	case AuthZEN:
		return "authzen"
	case Enforcing:
		return "enforcement"
	case Native:
	}
	return "native"
}

// altinn says whether answers are as Altinn's clients expect them.
func (d Door) altinn() bool { return d == Internal || d == External }

// Request is a request for one or more decisions.
type Request struct {
	XACML   *xacml.Request // is not changed
	Door    Door
	Explain bool
	Listing bool // confirms an entry of a list: like lists, it is not recorded
	At      relation.At
	Origin  Origin
}

// Origin is where a request came from, for the record of its decisions.
type Origin struct {
	Caller    string // user/<id> or service/<name>
	Address   string // of the peer
	Forwarded string // the chain of addresses that the peer tells of, hearsay
	RequestID string
}

// Response is the answer to a request: one for each question, in their order.
type Response struct {
	Answers  []Answer
	Revision relation.Revision // at which all were taken
}

// Answer is the answer to one question. The zero Answer lets nobody in.
type Answer struct {
	xacml.Result
	Reason      string // why, in one line; always given
	By          By
	Policy      string       // hash of the policy's text, "" if none was found
	Explanation *Explanation // if that was asked for

	// Failed says that nothing was decided because something that it takes failed: a read, a
	// source of attributes, the record of the decision. Nothing is wrong with the question.
	Failed bool

	refused bool // it could not be asked about
}

// Permitted says whether the answer lets the subject in, provided that whoever enforces
// it sees to its obligations.
func (a *Answer) Permitted() bool { return a.Decision == xacml.Permit }

// By says what decided.
type By uint8

// What can decide. The zero By is nothing.
const (
	Nothing      By = iota
	ByPolicy        // a rule of the policy
	ByDelegation    // a delegated right, where the policy says nothing
	ByAccessList    // the access lists of the resource, against the policy
)

// String returns the name of what decided, "" if nothing did.
func (b By) String() string {
	switch b {
	case ByPolicy:
		return "policy"
	case ByDelegation:
		return "delegation"
	case ByAccessList:
		return "access-list"
	case Nothing:
	}
	return ""
}

// Record is what is recorded of a decision.
type Record struct {
	Time   time.Time
	Door   Door
	Origin Origin

	Subject  Subject
	Resource Resource
	Action   string
	Session  string         // the subject's session, as the request tells
	Request  *xacml.Request // the question with all that was found for it; not to be changed

	Decision    xacml.Decision
	Status      xacml.StatusCode
	Obligations []xacml.Obligation
	By          By
	Reason      string
	Policy      string // hash of the policy's text
	Revision    relation.Revision
	Latency     time.Duration
}

// Subject is who acts, as far as it is known. Zero fields are not.
type Subject struct {
	User       party.UserID
	Party      party.ID // his own, or the organisation that acts itself
	PartyUUID  string
	SystemUser string // UUID
	OrgCode    string // short name of a service owner
	OrgNumber  string
}

// Resource is what is acted on, as far as it is known. Zero fields are not.
type Resource struct {
	Type     string // of AuthZEN and the like, "" for apps and resources of the registry
	ID       string // such as app_skd_taxreport
	Org      string // of an app
	App      string
	Party    party.ID // whose it is
	Instance string   // {partyId}/{UUID}, or its reference
	Task     string
	EndEvent string
}

// IsApp says whether the resource is an app.
func (r *Resource) IsApp() bool { return r.Org != "" && r.App != "" }
