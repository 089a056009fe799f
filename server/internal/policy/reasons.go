package policy

import "github.com/behalf-authz/behalf/server/internal/fault"

// The reasons of this package.
const (
	// ReasonNotFound is given when nothing, or nothing that the call names, is a policy.
	ReasonNotFound fault.Reason = "POLICY_NOT_FOUND"
	// ReasonInvalid is given when a text is no policy; the violations say where and why.
	ReasonInvalid fault.Reason = "POLICY_INVALID"
	// ReasonAmbiguous is given when several texts are current, which only the relations API can bring about.
	ReasonAmbiguous fault.Reason = "POLICY_AMBIGUOUS"
	// ReasonTooLarge is given when a text is longer than a policy may be.
	ReasonTooLarge fault.Reason = "POLICY_TOO_LARGE"
)
