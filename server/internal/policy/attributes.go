package policy

import (
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// subjectAttributes are those that requests name subjects by, or that are found for them.
var subjectAttributes = []string{
	"urn:altinn:userid", "urn:altinn:username", "urn:altinn:partyid", "urn:altinn:party:uuid",
	"urn:altinn:person:uuid", "urn:altinn:person:identifier-no", "urn:altinn:ssn",
	"urn:altinn:organization:uuid", "urn:altinn:organization:identifier-no", "urn:altinn:organizationnumber", "urn:altinn:orgNumber",
	"urn:altinn:org", "urn:altinn:app", "urn:altinn:rolecode", "urn:altinn:accesspackage", "urn:altinn:access-list", "urn:altinn:partytype",
	"urn:altinn:systemuser:uuid", "urn:altinn:enterpriseuser:uuid", "urn:altinn:resource", "urn:altinn:resource:delegation",
	"urn:altinn:sessionid", "urn:altinn:authlevel", "urn:altinn:authenticatemethod",
	"urn:altinn:apiscope", "urn:altinn:scope", "urn:scope", "urn:digitaltdodsbo:rolecode",
}

// resourceAttributes are those of resources.
var resourceAttributes = []string{
	"urn:altinn:org", "urn:altinn:app", "urn:altinn:resource", "urn:altinn:instance-id", "urn:altinn:resource:instance-id",
	"urn:altinn:task", "urn:altinn:end-event", "urn:altinn:appresource",
	"urn:altinn:event-id", "urn:altinn:eventtype", "urn:altinn:eventsource",
	"urn:altinn:partyid", "urn:altinn:party:uuid", "urn:altinn:ssn",
	"urn:altinn:organization:identifier-no", "urn:altinn:organization:uuid", "urn:altinn:organizationnumber",
	"urn:altinn:person:identifier-no", "urn:altinn:person:uuid",
}

// The prefixes of attributes that need no list: those of the standard, whose values the
// request or the clock gives, and those that properties of an AuthZEN request become.
const (
	standardPrefix = "urn:oasis:names:tc:xacml:"
	propertyPrefix = "urn:behalf:"
)

// supplied reports whether a request has the attribute, or it is found for one.
func supplied(category, id string) bool {
	if strings.HasPrefix(id, standardPrefix) || strings.HasPrefix(id, propertyPrefix) {
		return true
	}
	switch category {
	case xacml.SubjectCategory:
		return slices.Contains(subjectAttributes, id)
	case xacml.ResourceCategory:
		return slices.Contains(resourceAttributes, id)
	}
	return false
}

// otherCategory returns the category in which an attribute would be there.
func otherCategory(id string) (string, bool) {
	for _, category := range []string{xacml.SubjectCategory, xacml.ResourceCategory} {
		if supplied(category, id) {
			return category, true
		}
	}
	return "", false
}
