package decision

// Attribute identifiers that the context handler reads or supplies.
const (
	idUser             = "urn:altinn:userid"
	idParty            = "urn:altinn:partyid"
	idPartyUUID        = "urn:altinn:party:uuid"
	idPersonUUID       = "urn:altinn:person:uuid"
	idPersonNumber     = "urn:altinn:person:identifier-no"
	idSSN              = "urn:altinn:ssn"
	idOrganisationUUID = "urn:altinn:organization:uuid"
	idOrgNumber        = "urn:altinn:organization:identifier-no"
	idOldOrgNumber     = "urn:altinn:organizationnumber"
	idOrgNumberClaim   = "urn:altinn:orgNumber"
	idOrg              = "urn:altinn:org"
	idApp              = "urn:altinn:app"
	idResource         = "urn:altinn:resource"
	idInstance         = "urn:altinn:instance-id"
	idInstanceRef      = "urn:altinn:resource:instance-id"
	idTask             = "urn:altinn:task"
	idEndEvent         = "urn:altinn:end-event"
	idRole             = "urn:altinn:rolecode"
	idPackage          = "urn:altinn:accesspackage"
	idPartyType        = "urn:altinn:partytype"
	idAccessList       = "urn:altinn:access-list"
	idEstateRole       = "urn:digitaltdodsbo:rolecode"
	idSystemUser       = "urn:altinn:systemuser:uuid"
	idSession          = "urn:altinn:sessionid"
	idAction           = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	idObjectType       = "urn:behalf:resource:type" // of what is neither app nor registered resource
	idObject           = "urn:behalf:resource:id"
	idSubject          = "urn:oasis:names:tc:xacml:1.0:subject:subject-id"
	ownPrefix          = "urn:behalf:subject:" // of what AuthZEN says of subjects
)

// Attributes that name a resource for which a policy of its own type is stored.
const (
	ObjectType = idObjectType
	ObjectID   = idObject
)
