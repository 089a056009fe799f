package altinnworld

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// fileParty is a party as Register and the lists of parties write it, whatever the case of
// the names. Authorized parties are written with other names for the same.
type fileParty struct {
	PartyID       number `json:"partyId"`
	PartyUUID     string `json:"partyUuid"`
	PartyTypeName number `json:"partyTypeName"`
	Type          string `json:"type"` // Person, Organization, SelfIdentified
	OrgNumber     string `json:"orgNumber"`
	Organization  any    `json:"organization"`
	OrgNumber2    string `json:"organizationNumber"`
	SSN           string `json:"ssn"`
	PersonID      string `json:"personId"`
	UnitType      string `json:"unitType"`
	Name          string `json:"name"`
	IsDeleted     bool   `json:"isDeleted"`
	HierarchyOnly bool   `json:"onlyHierarchyElementWithNoAccess"`
	Person        struct {
		DateOfDeath string `json:"dateOfDeath"`
	} `json:"person"`
	ChildParties []fileParty `json:"childParties"`
	SubUnits     []fileParty `json:"subunits"`

	Roles     []string             `json:"authorizedRoles"`
	Packages  []string             `json:"authorizedAccessPackages"`
	Resources []string             `json:"authorizedResources"`
	Instances []authorizedInstance `json:"authorizedInstances"`
}

// number is a number, or a string of one.
type number int64

func (n *number) UnmarshalJSON(text []byte) error {
	digits := strings.Trim(string(text), `"`)
	if digits == "null" || digits == "" {
		return nil
	}
	i, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		// The decoder adds the field to this error, and to no other.
		return &json.UnmarshalTypeError{Value: digits, Type: reflect.TypeFor[int64]()}
	}
	*n = number(i)
	return nil
}

// below returns the units that are nested in the party.
func (p *fileParty) below() []fileParty {
	if len(p.ChildParties) > 0 {
		return p.ChildParties
	}
	return p.SubUnits
}

type authorizedInstance struct {
	ResourceID string `json:"resourceId"`
	InstanceID string `json:"instanceId"`
}

// fileUser is a profile. Both layouts of the file are read into it.
type fileUser struct {
	UserID       number     `json:"userId"`
	LookupUserID number     `json:"lookupUserId"`
	SSN          string     `json:"ssn"`
	PartyID      number     `json:"partyId"`
	PartyUUID    string     `json:"partyUuid"`
	UserName     string     `json:"userName"`
	UserType     number     `json:"userType"` // 1 person, 2 self-identified, 3 enterprise user
	Party        *fileParty `json:"party"`
}

type fileRole struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type fileMainUnit struct {
	PartyID       number `json:"partyId"`
	ParentPartyID number `json:"parentPartyId"`
}

// keyRoles is keyrole-parties.json in its two layouts: a list of users under keyRoles, or
// an object from user to parties.
type keyRoles struct {
	of map[int64][]int64
}

func (k *keyRoles) UnmarshalJSON(text []byte) error {
	var listed struct {
		KeyRoles []struct {
			UserID  number  `json:"userId"`
			Parties []int64 `json:"parties"`
		} `json:"keyRoles"`
	}
	if err := json.Unmarshal(text, &listed); err == nil && listed.KeyRoles != nil {
		k.of = make(map[int64][]int64)
		for _, l := range listed.KeyRoles {
			k.of[int64(l.UserID)] = append(k.of[int64(l.UserID)], l.Parties...)
		}
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	k.of = make(map[int64][]int64)
	for name, value := range raw {
		user, err := strconv.ParseInt(name, 10, 32)
		if err != nil {
			continue // a note
		}
		var parties []int64
		if err := json.Unmarshal(value, &parties); err != nil {
			return err
		}
		k.of[user] = parties
	}
	return nil
}

// profiles is profiles.json in its two layouts.
type profiles struct {
	users []fileUser
}

func (p *profiles) UnmarshalJSON(text []byte) error {
	var listed struct {
		Users []fileUser `json:"users"`
	}
	if err := json.Unmarshal(text, &listed); err == nil && listed.Users != nil {
		p.users = listed.Users
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	for _, name := range numbers(raw) {
		var u fileUser
		if err := json.Unmarshal(raw[name], &u); err != nil {
			return err
		}
		if u.UserID == 0 {
			id, _ := strconv.ParseInt(name, 10, 32)
			u.UserID = number(id)
		}
		p.users = append(p.users, u)
	}
	return nil
}

// fileDelegation is a delegation in either layout: with a policy and who sees it, or with
// parties and users alone.
type fileDelegation struct {
	Type       string            `json:"type"` // Grant; RevokeLast and Revoke say that nothing is left
	Resource   string            `json:"resource"`
	InstanceID string            `json:"instanceId"`
	OfferedBy  map[string]string `json:"offeredBy"`
	CoveredBy  map[string]string `json:"coveredBy"`
	PolicyBlob string            `json:"policyBlob"`
	Matches    []struct {
		Party   map[string]string `json:"party"`
		Subject map[string]string `json:"subject"`
	} `json:"matches"`

	ResourceID  string `json:"resourceId"`
	FromPartyID number `json:"fromPartyId"`
	ToUserID    number `json:"toUserId"`
	ToPartyID   number `json:"toPartyId"`
	ChangeType  string `json:"changeType"`
}

// revoked reports whether the delegation is the last word that there is none.
func (d *fileDelegation) revoked() bool {
	return strings.HasPrefix(strings.ToLower(d.Type+d.ChangeType), "revoke")
}

type filePackages struct {
	Grants []struct {
		From     string   `json:"from"`
		To       string   `json:"to"`
		Packages []string `json:"packages"`
		Roles    []string `json:"roles"`
	} `json:"grants"`
}

type fileEstateRoles struct {
	Assignments []struct {
		From string `json:"from"`
		To   string `json:"to"`
		Role string `json:"role"`
	} `json:"assignments"`
}

type fileAccessList struct {
	URN         string `json:"urn"`
	Identifier  string `json:"identifier"`
	Identifer   string `json:"identifer"` // as one of the files spells it
	Name        string `json:"name"`
	Description string `json:"description"`
}

type fileMemberships struct {
	Memberships []struct {
		Organization  string   `json:"organization"`
		Resource      string   `json:"resource"`
		Party         string   `json:"party"` // a URN that ends in the UUID
		Since         string   `json:"since"`
		ActionFilters []string `json:"actionFilters"`
	} `json:"memberships"`
}

type fileResource struct {
	Identifier string            `json:"identifier"`
	Title      map[string]string `json:"title"`
	Type       string            `json:"resourceType"`
	ListMode   string            `json:"accessListMode"`
	Authority  struct {
		Organization string `json:"organization"`
		OrgCode      string `json:"orgcode"`
	} `json:"hasCompetentAuthority"`
}

type fileInstance struct {
	ID            string `json:"id"`
	InstanceOwner struct {
		PartyID number `json:"partyId"`
	} `json:"instanceOwner"`
	AppID   string `json:"appId"`
	Org     string `json:"org"`
	Process struct {
		CurrentTask *struct {
			ElementID string `json:"elementId"`
		} `json:"currentTask"`
		EndEvent string `json:"endEvent"`
	} `json:"process"`
}
