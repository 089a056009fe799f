package altinn

import (
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// authorizedParty is a party that somebody may act for, as Altinn writes it.
type authorizedParty struct {
	PartyUUID     *string  `json:"partyUuid"`
	Name          string   `json:"name"`
	OrgNumber     *string  `json:"organizationNumber"`
	PersonID      *string  `json:"personId"`
	PartyID       int64    `json:"partyId"`
	Type          string   `json:"type"`
	UnitType      *string  `json:"unitType"`
	IsDeleted     bool     `json:"isDeleted"`
	HierarchyOnly bool     `json:"onlyHierarchyElementWithNoAccess"`
	Resources     []string `json:"authorizedResources"`
	Roles         []string `json:"authorizedRoles"`

	*authorizedMore

	SubUnits []authorizedParty `json:"subunits"`
}

// authorizedMore is what the service before this one did not tell.
type authorizedMore struct {
	ParentID  *string              `json:"parentId"`
	BirthDate *string              `json:"dateOfBirth"`
	EmailID   *string              `json:"emailId"`
	Packages  []string             `json:"authorizedAccessPackages"`
	Instances []authorizedInstance `json:"authorizedInstances"`
}

type authorizedInstance struct {
	ResourceID  string `json:"resourceId"`
	InstanceID  string `json:"instanceId"`
	InstanceRef string `json:"instanceRef"`
}

// convertAuthorized returns parties as Altinn writes them. before writes them for clients of
// the service before: with the registers' codes of roles alone.
func convertAuthorized(parties []*behalfv1.AuthorizedParty, parent *behalfv1.Party, before bool) []authorizedParty {
	out := make([]authorizedParty, len(parties))
	for i, m := range parties {
		p := m.GetParty()
		out[i] = authorizedParty{
			PartyUUID: orNull(&p.PartyUuid), Name: p.GetName(), OrgNumber: orNull(&p.OrgNumber), PersonID: orNull(&p.NationalId),
			PartyID: p.GetPartyId(), Type: authorizedType(p.GetKind()), UnitType: orNull(&p.UnitType), IsDeleted: p.GetDeleted(),
			HierarchyOnly: m.GetHierarchyOnly(), Resources: orEmpty(m.GetResources()), Roles: roleTexts(m.GetRoles(), before),
			SubUnits: convertAuthorized(m.GetSubUnits(), p, before),
		}
		if before && len(m.GetInstances())+len(m.GetPackages()) == 0 {
			continue
		}
		more := &authorizedMore{
			BirthDate: orNull(&p.BirthDate), Packages: orEmpty(m.GetPackages()), Instances: make([]authorizedInstance, len(m.GetInstances())),
		}
		if parent != nil {
			more.ParentID = orNull(&parent.PartyUuid)
		}
		for j, in := range m.GetInstances() {
			more.Instances[j] = instanceOf(p.GetPartyId(), in)
		}
		out[i].authorizedMore = more
	}
	return out
}

func orEmpty(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// roleTexts returns the names of roles: of each the name within its provider and the code
// of the register in lower case, or, as before, the code alone.
func roleTexts(held []*behalfv1.AuthorizedRole, before bool) []string {
	out := make([]string, 0, 2*len(held))
	for _, r := range held {
		code := r.GetLegacyCode()
		if code == "" {
			code = r.GetCode()
		}
		switch lower := strings.ToLower(code); {
		case before:
			out = append(out, strings.ToUpper(code))
		case lower == r.GetSlug() || r.GetSlug() == "":
			out = append(out, lower)
		default:
			out = append(out, r.GetSlug(), lower)
		}
	}
	return out
}

func authorizedType(kind behalfv1.PartyKind) string {
	switch kind {
	case behalfv1.PartyKind_PARTY_KIND_PERSON:
		return "Person"
	case behalfv1.PartyKind_PARTY_KIND_SELF_IDENTIFIED:
		return "SelfIdentified"
	case behalfv1.PartyKind_PARTY_KIND_ORGANISATION, behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE:
		return "Organization"
	case behalfv1.PartyKind_PARTY_KIND_UNSPECIFIED:
	}
	return "None"
}

// instanceOf returns an instance by its bare id and by its URN.
func instanceOf(party int64, in *behalfv1.AuthorizedInstance) authorizedInstance {
	id := in.GetInstance()
	out := authorizedInstance{ResourceID: in.GetResource(), InstanceID: id, InstanceRef: id}
	switch {
	case strings.HasPrefix(id, "urn:"):
		out.InstanceID = id[strings.LastIndexAny(id, ":/")+1:]
	case strings.HasPrefix(in.GetResource(), "app_"):
		out.InstanceRef = "urn:altinn:instance-id:" + decimal(party) + "/" + id
	}
	return out
}

// orNull returns a text, nil for an empty one.
func orNull(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}
