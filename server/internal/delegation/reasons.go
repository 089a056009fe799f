package delegation

import (
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// The reasons of this package.
const (
	// ReasonNotAdministrator is given when the user does not administer the party, whether or not it exists.
	ReasonNotAdministrator fault.Reason = "NOT_ADMINISTRATOR"
	// ReasonUnknownRight is given when no rule of the resource's policy is about the right.
	ReasonUnknownRight fault.Reason = "UNKNOWN_RIGHT"
	// ReasonRightNotDelegable is given when the policy does not permit the right to the user by
	// anything that he may pass on.
	ReasonRightNotDelegable fault.Reason = "RIGHT_NOT_DELEGABLE"
	// ReasonUnknownPackage is given when the catalogue has no such access package.
	ReasonUnknownPackage = register.ReasonUnknownPackage
	// ReasonPackageNotAssignable is given when nobody can be given the package so, or not for such a party.
	ReasonPackageNotAssignable = register.ReasonPackageNotAssignable
	// ReasonPackageNotDelegable is given when the user has no role that may delegate the package.
	ReasonPackageNotDelegable fault.Reason = "PACKAGE_NOT_DELEGABLE"
	// ReasonReceiverNotAllowed is given when the receiver is none that anything can be given to.
	ReasonReceiverNotAllowed fault.Reason = "RECEIVER_NOT_ALLOWED"
	// ReasonSystemUserNotFound is given when there is no such system user.
	ReasonSystemUserNotFound fault.Reason = "SYSTEM_USER_NOT_FOUND"
	// ReasonExpired is given when a delegation would have ended before it begins.
	ReasonExpired fault.Reason = "EXPIRY_IN_THE_PAST"
	// ReasonNotProvider is given when the organisation has no role for the client that brings the package.
	ReasonNotProvider fault.Reason = "NOT_PROVIDER"
	// ReasonNotAgent is given when the receiver does not act for clients of the provider.
	ReasonNotAgent fault.Reason = "NOT_AGENT"
	// ReasonMayNotRevoke is given when the delegation is not the user's to take back.
	ReasonMayNotRevoke fault.Reason = "MAY_NOT_REVOKE"
)

// refused is a fault of a field that is well-formed and wrong all the same.
func refused(kind fault.Kind, reason fault.Reason, field, format string, args ...any) *fault.Error {
	e := fault.Field(field, format, args...)
	e.Kind, e.Reason = kind, reason
	return e
}
