package native

import (
	"encoding/json"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// The words for kinds of system users and for modes of resources.
const (
	standardUser = "standard"
	agentUser    = "agent"
	modeEnabled  = "enabled"
	modeDisabled = "disabled"
)

func (o *object) systemUser(place registerfile.Place) *behalfv1.ImportEntry {
	record := &behalfv1.SystemUser{
		Uuid: strings.ToLower(o.text("uuid")), Owner: o.text("owner"), Name: o.text("name"),
		Kind: behalfv1.SystemUserKind_SYSTEM_USER_KIND_STANDARD,
	}
	switch kind := o.text("type"); kind {
	case "", standardUser:
	case agentUser:
		record.Kind = behalfv1.SystemUserKind_SYSTEM_USER_KIND_AGENT
	default:
		o.fail("type", "is %s; write standard or agent", quote(kind))
	}
	if record.GetOwner() != "" && !isReference(record.GetOwner()) {
		o.fail("owner", noReference)
	}
	if err := o.end("a system user"); err != nil {
		return unreadable(place, err)
	}
	return place.Checked(&behalfv1.ImportEntry{
		File: place.File, Line: place.Line, Entry: &behalfv1.ImportEntry_SystemUser{SystemUser: record},
	})
}

type systemUserLine struct {
	Kind  string `json:"kind"`
	UUID  string `json:"uuid"`
	Owner string `json:"owner"`
	Type  string `json:"type"`
	Name  string `json:"name,omitempty"`
}

func lineOfSystemUser(u *behalfv1.SystemUser) systemUserLine {
	line := systemUserLine{Kind: "system-user", UUID: u.GetUuid(), Owner: u.GetOwner(), Type: standardUser, Name: u.GetName()}
	if u.GetKind() == behalfv1.SystemUserKind_SYSTEM_USER_KIND_AGENT {
		line.Type = agentUser
	}
	return line
}

type accessListLine struct {
	Kind        string               `json:"kind"`
	Owner       string               `json:"owner"`
	Identifier  string               `json:"identifier"`
	Name        string               `json:"name,omitempty"`
	Description string               `json:"description,omitempty"`
	Members     []accessListMember   `json:"members,omitempty"`
	Resources   []accessListResource `json:"resources,omitempty"`
}

type accessListMember struct {
	Party string `json:"party"`
	Since string `json:"since,omitempty"`
}

type accessListResource struct {
	ID      string   `json:"id"`
	Actions []string `json:"actions,omitempty"`
}

func (o *object) accessList(place registerfile.Place) *behalfv1.ImportEntry {
	record := &behalfv1.AccessList{
		Owner: o.text("owner"), Identifier: o.text("identifier"), Name: o.text("name"), Description: o.text("description"),
	}
	var members []accessListMember
	o.list("members", &members)
	for _, m := range members {
		member := &behalfv1.AccessListMember{Party: m.Party}
		if !isReference(m.Party) {
			o.fail("members", "%s %s", quote(m.Party), noReference)
		}
		if m.Since != "" {
			at, err := time.Parse(time.RFC3339, m.Since)
			if err != nil {
				o.fail("members", "since is not a time, such as 2030-12-31T23:59:59Z")
			}
			member.Since = timestamppb.New(at)
		}
		record.Members = append(record.Members, member)
	}
	var resources []accessListResource
	o.list("resources", &resources)
	for _, r := range resources {
		record.Resources = append(record.Resources, &behalfv1.AccessListResource{Resource: r.ID, Actions: r.Actions})
	}
	if err := o.end("an access list"); err != nil {
		return unreadable(place, err)
	}
	return place.Checked(&behalfv1.ImportEntry{
		File: place.File, Line: place.Line, Entry: &behalfv1.ImportEntry_AccessList{AccessList: record},
	})
}

func lineOfAccessList(l *behalfv1.AccessList) accessListLine {
	line := accessListLine{
		Kind: "access-list", Owner: l.GetOwner(), Identifier: l.GetIdentifier(), Name: l.GetName(), Description: l.GetDescription(),
	}
	for _, m := range l.GetMembers() {
		member := accessListMember{Party: m.GetParty()}
		if m.GetSince() != nil {
			member.Since = m.GetSince().AsTime().Format(time.RFC3339Nano)
		}
		line.Members = append(line.Members, member)
	}
	for _, r := range l.GetResources() {
		line.Resources = append(line.Resources, accessListResource{ID: r.GetResource(), Actions: r.GetActions()})
	}
	return line
}

type resourceLine struct {
	Kind           string `json:"kind"`
	ID             string `json:"id"`
	Owner          string `json:"owner,omitempty"`
	OwnerNumber    string `json:"ownerNumber,omitempty"`
	Type           string `json:"type,omitempty"`
	Title          string `json:"title,omitempty"`
	AccessListMode string `json:"accessListMode,omitempty"`
}

func (o *object) resource(place registerfile.Place) *behalfv1.ImportEntry {
	record := &behalfv1.Resource{
		Id: o.text("id"), Owner: o.text("owner"), OwnerNumber: o.text("ownerNumber"), Type: o.text("type"), Title: o.text("title"),
		AccessListMode: behalfv1.AccessListMode_ACCESS_LIST_MODE_DISABLED,
	}
	switch mode := o.text("accessListMode"); mode {
	case "", modeDisabled:
	case modeEnabled:
		record.AccessListMode = behalfv1.AccessListMode_ACCESS_LIST_MODE_ENABLED
	default:
		o.fail("accessListMode", "is %s; write enabled or disabled", quote(mode))
	}
	if err := o.end("a resource"); err != nil {
		return unreadable(place, err)
	}
	return place.Checked(&behalfv1.ImportEntry{
		File: place.File, Line: place.Line, Entry: &behalfv1.ImportEntry_Resource{Resource: record},
	})
}

func lineOfResource(r *behalfv1.Resource) resourceLine {
	line := resourceLine{
		Kind: "resource", ID: r.GetId(), Owner: r.GetOwner(), OwnerNumber: r.GetOwnerNumber(), Type: r.GetType(), Title: r.GetTitle(),
	}
	if r.GetAccessListMode() == behalfv1.AccessListMode_ACCESS_LIST_MODE_ENABLED {
		line.AccessListMode = modeEnabled
	}
	return line
}

// list takes a list of objects with the fields of into's elements and no others, leaving
// into empty when the field is absent.
func (o *object) list(name string, into any) {
	raw := o.take(name)
	if raw == nil {
		return
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		o.fail(name, "is no list as the format has it: %v", err)
	}
}
