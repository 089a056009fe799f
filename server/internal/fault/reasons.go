package fault

// Reasons that more than one package gives. A reason with one giver is declared there.
const (
	// ReasonInternal is given for every fault of ours.
	ReasonInternal Reason = "INTERNAL"
	// ReasonInvalidArgument is given when a field of the request is wrong; the violations name it.
	ReasonInvalidArgument Reason = "INVALID_ARGUMENT"
	// ReasonCredentialsMissing is given when a call carries no credentials.
	ReasonCredentialsMissing Reason = "CREDENTIALS_MISSING"
	// ReasonCredentialsInvalid is given when a token or key is not valid, or no longer.
	ReasonCredentialsInvalid Reason = "CREDENTIALS_INVALID"
	// ReasonScopeMissing is given when a service lacks the scope in the metadata entry "scope".
	ReasonScopeMissing Reason = "SCOPE_MISSING"
	// ReasonServicesOnly is given when an end user calls what is open to services only.
	ReasonServicesOnly Reason = "SERVICES_ONLY"
	// ReasonOtherUser is given when an end user asks about somebody else.
	ReasonOtherUser Reason = "OTHER_USER"
	// ReasonUserRequired is given when a service does not say which user it asks about.
	ReasonUserRequired Reason = "USER_REQUIRED"
	// ReasonPartyNotFound is given when no record of the party exists.
	ReasonPartyNotFound Reason = "PARTY_NOT_FOUND"
	// ReasonUnknownRole is given when the catalogue has no such role.
	ReasonUnknownRole Reason = "UNKNOWN_ROLE"
	// ReasonUnknownRelation is given when the schema has no such definition, relation or permission.
	ReasonUnknownRelation Reason = "UNKNOWN_RELATION"
	// ReasonInvalidRevision is given when a revision is not one that this server gave.
	ReasonInvalidRevision Reason = "INVALID_REVISION"
	// ReasonInvalidPageToken is given when a page token is not one of this query.
	ReasonInvalidPageToken Reason = "INVALID_PAGE_TOKEN"
	// ReasonETagMismatch is given when what a write expected to find is not what is there.
	ReasonETagMismatch Reason = "ETAG_MISMATCH"
	// ReasonUnavailable is given when the server cannot answer now.
	ReasonUnavailable Reason = "UNAVAILABLE"
)
