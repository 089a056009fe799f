package registry

import "github.com/behalf-authz/behalf/server/internal/fault"

// Reasons that this package gives.
const (
	// ReasonSystemUserNotFound is given when there is no such system user.
	ReasonSystemUserNotFound fault.Reason = "SYSTEM_USER_NOT_FOUND"
	// ReasonSystemUserHasRights is given when a system user cannot be deleted because it has
	// been delegated something; "count" is how many delegations there are.
	ReasonSystemUserHasRights fault.Reason = "SYSTEM_USER_HAS_RIGHTS"
	// ReasonPartyHasSystemUsers is given when a party cannot be deleted because it owns
	// system users; "count" is how many.
	ReasonPartyHasSystemUsers fault.Reason = "PARTY_HAS_SYSTEM_USERS"
	// ReasonAccessListNotFound is given when there is no such access list.
	ReasonAccessListNotFound fault.Reason = "ACCESS_LIST_NOT_FOUND"
	// ReasonResourceNotFound is given when there is no record of the resource.
	ReasonResourceNotFound fault.Reason = "RESOURCE_NOT_FOUND"
)
