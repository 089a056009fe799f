package enforce

import (
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Outcome is what becomes of a request. The zero Outcome keeps it out.
type Outcome uint8

// The outcomes.
const (
	Denied          Outcome = iota // whoever asks may not
	Allowed                        // the only one that lets anybody in
	Unauthenticated                // it has to be known who asks
	StepUp                         // he has to authenticate himself better
	Malformed                      // the request cannot be read without doubt
)

// String returns the outcome as logs and metrics name it.
func (o Outcome) String() string {
	switch o {
	case Allowed:
		return "allowed"
	case Unauthenticated:
		return "unauthenticated"
	case StepUp:
		return "step-up"
	case Malformed:
		return "malformed"
	case Denied:
	}
	return "denied"
}

// Reasons of requests that are kept out.
const (
	// ReasonNoRoute is given when no route of the file takes the request.
	ReasonNoRoute fault.Reason = "NO_ROUTE"
	// ReasonDenied is given when a rule does not let the caller in.
	ReasonDenied fault.Reason = "RULE_DENIES"
	// ReasonPartyNotRepresented is given when the caller may not act for the party.
	ReasonPartyNotRepresented fault.Reason = "PARTY_NOT_REPRESENTED"
	// ReasonPartyRequired is given when nothing says for which party the caller acts.
	ReasonPartyRequired fault.Reason = "PARTY_REQUIRED"
	// ReasonLevelTooLow is given when the caller has to authenticate himself better.
	ReasonLevelTooLow fault.Reason = "LEVEL_TOO_LOW"
	// ReasonCrossSite is given when another site had a browser send a request that changes something.
	ReasonCrossSite fault.Reason = "CROSS_SITE"
	// ReasonObligation is given when a policy asks for something that gateways do not know.
	ReasonObligation fault.Reason = "OBLIGATION_UNKNOWN"
	// ReasonNotRecorded is given when the answer could not be recorded and so did not leave.
	ReasonNotRecorded fault.Reason = "DECISION_NOT_RECORDED"
)

// Verdict is the answer about a request. The zero Verdict keeps it out.
type Verdict struct {
	Outcome  Outcome
	Reason   fault.Reason
	Message  string // for people
	Level    int    // that a step up has to reach
	Route    string // name of the route that decided
	Identity []Header
	Remove   []string // names of other headers that could be taken for one of them
	Revision relation.Revision
	Mia      MiaAnswer
}

// judgement is what a rule says of a request. The zero judgement keeps it out.
type judgement struct {
	outcome Outcome
	reason  fault.Reason
	message string
	level   int
}

func allowed() judgement { return judgement{outcome: Allowed} }

func denied(message string) judgement { return judgement{reason: ReasonDenied, message: message} }

func unauthenticated() judgement {
	return judgement{outcome: Unauthenticated, reason: fault.ReasonCredentialsMissing, message: "the request carries no credentials"}
}

func stepUp(level int) judgement {
	return judgement{outcome: StepUp, reason: ReasonLevelTooLow, message: "a higher authentication level is needed", level: level}
}
