package register

import "github.com/behalf-authz/behalf/server/internal/fault"

// Reasons that only this package gives.
const (
	// ReasonPartyConflict is given when a record's identifiers name different parties, or
	// a party of another kind.
	ReasonPartyConflict fault.Reason = "PARTY_CONFLICT"
	// ReasonPartyHasSubUnits is given when a party cannot be deleted, or become a sub-unit,
	// because it is the main unit of others.
	ReasonPartyHasSubUnits fault.Reason = "PARTY_HAS_SUB_UNITS"
	// ReasonAssignmentNotFound is given when the source does not assert the assignment.
	ReasonAssignmentNotFound fault.Reason = "ASSIGNMENT_NOT_FOUND"
	// ReasonHolderNotAllowed is given when the role cannot be held so.
	ReasonHolderNotAllowed fault.Reason = "HOLDER_NOT_ALLOWED"
	// ReasonUnknownPackage is given when the catalogue has no such access package.
	ReasonUnknownPackage fault.Reason = "UNKNOWN_PACKAGE"
	// ReasonPackageNotAssignable is given when nobody can be given the package so, or not for such a party.
	ReasonPackageNotAssignable fault.Reason = "PACKAGE_NOT_ASSIGNABLE"
	// ReasonPersonNotDerived is given when the person to join to another has a national id
	// or a login, and so is somebody already.
	ReasonPersonNotDerived fault.Reason = "PERSON_NOT_DERIVED"
	// ReasonImportRunning is given when another import is running.
	ReasonImportRunning fault.Reason = "IMPORT_RUNNING"
	// ReasonImportTooLarge is given when an import has more entries than the metadata
	// entry "limit".
	ReasonImportTooLarge fault.Reason = "IMPORT_TOO_LARGE"
	// ReasonRemovalsExceedLimit is given when an import would remove more of the source in
	// the metadata entry "source" than allowed; "removed" and "recorded" are the counts.
	ReasonRemovalsExceedLimit fault.Reason = "REMOVALS_EXCEED_LIMIT"
	// ReasonNumbersExhausted is given when no partyId or userId is left to give.
	ReasonNumbersExhausted fault.Reason = "NUMBERS_EXHAUSTED"
)
