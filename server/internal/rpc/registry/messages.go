package registry

import (
	"encoding/base64"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/registry"
)

// SystemUser returns the system user of a message.
func SystemUser(m *behalfv1.SystemUser) registry.SystemUser {
	return registry.SystemUser{
		UUID: strings.ToLower(m.GetUuid()), Owner: registry.Reference(m.GetOwner()), Name: m.GetName(),
		Agent: m.GetKind() == behalfv1.SystemUserKind_SYSTEM_USER_KIND_AGENT,
	}
}

// AccessList returns the access list of a message.
func AccessList(m *behalfv1.AccessList) registry.AccessList {
	l := registry.AccessList{Owner: m.GetOwner(), Identifier: m.GetIdentifier(), Name: m.GetName(), Description: m.GetDescription()}
	for _, member := range m.GetMembers() {
		in := registry.Member{Party: registry.Reference(member.GetParty())}
		if member.GetSince() != nil {
			in.Since = member.GetSince().AsTime()
		}
		l.Members = append(l.Members, in)
	}
	for _, r := range m.GetResources() {
		l.Opens = append(l.Opens, records.ListedOpening{Resource: r.GetResource(), Actions: r.GetActions()})
	}
	return l
}

// Resource returns the resource of a message.
func Resource(m *behalfv1.Resource) records.Resource {
	return records.Resource{
		ID: m.GetId(), Owner: m.GetOwner(), OwnerNumber: m.GetOwnerNumber(), Type: m.GetType(), Title: m.GetTitle(),
		ListedOnly: m.GetAccessListMode() == behalfv1.AccessListMode_ACCESS_LIST_MODE_ENABLED,
	}
}

// EntryMessage returns an entry as an import takes it.
func EntryMessage(e registry.Entry) *behalfv1.ImportEntry {
	switch {
	case e.SystemUser != nil:
		kind := behalfv1.SystemUserKind_SYSTEM_USER_KIND_STANDARD
		if e.SystemUser.Agent {
			kind = behalfv1.SystemUserKind_SYSTEM_USER_KIND_AGENT
		}
		return &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_SystemUser{SystemUser: &behalfv1.SystemUser{
			Uuid: e.SystemUser.UUID, Owner: string(e.SystemUser.Owner), Name: e.SystemUser.Name, Kind: kind,
		}}}
	case e.AccessList != nil:
		l := &behalfv1.AccessList{
			Owner: e.AccessList.Owner, Identifier: e.AccessList.Identifier, Name: e.AccessList.Name, Description: e.AccessList.Description,
		}
		for _, m := range e.AccessList.Members {
			l.Members = append(l.Members, &behalfv1.AccessListMember{Party: string(m.Party), Since: timestamppb.New(m.Since)})
		}
		for _, o := range e.AccessList.Opens {
			l.Resources = append(l.Resources, &behalfv1.AccessListResource{Resource: o.Resource, Actions: o.Actions})
		}
		return &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_AccessList{AccessList: l}}
	}
	r := resourceMessage(*e.Resource)
	r.Source = ""
	return &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_Resource{Resource: r}}
}

func systemUserMessage(u records.SystemUser) *behalfv1.SystemUser {
	m := &behalfv1.SystemUser{
		Uuid: u.UUID, Owner: string(registry.ReferenceTo(u.Owner)), Name: u.Name, Source: u.Source,
		Kind: behalfv1.SystemUserKind_SYSTEM_USER_KIND_STANDARD,
	}
	if u.Agent {
		m.Kind = behalfv1.SystemUserKind_SYSTEM_USER_KIND_AGENT
	}
	return m
}

func accessListMessage(l records.AccessList) *behalfv1.AccessList {
	m := &behalfv1.AccessList{
		Owner: l.Owner, Identifier: l.Identifier, Name: l.Name, Description: l.Description, Etag: l.ETag,
		Urn: registry.ListURN(l.Owner, l.Identifier), Source: l.Source, UpdatedAt: timestamppb.New(l.Updated),
	}
	for _, in := range l.Members {
		m.Members = append(m.Members, &behalfv1.AccessListMember{
			Party: string(registry.ReferenceTo(in.Party)), Since: timestamppb.New(in.Since),
		})
	}
	for _, o := range l.Opens {
		m.Resources = append(m.Resources, &behalfv1.AccessListResource{Resource: o.Resource, Actions: o.Actions})
	}
	return m
}

func resourceMessage(r records.Resource) *behalfv1.Resource {
	m := &behalfv1.Resource{
		Id: r.ID, Owner: r.Owner, OwnerNumber: r.OwnerNumber, Type: r.Type, Title: r.Title, Source: r.Source,
		AccessListMode: behalfv1.AccessListMode_ACCESS_LIST_MODE_DISABLED,
	}
	if r.ListedOnly {
		m.AccessListMode = behalfv1.AccessListMode_ACCESS_LIST_MODE_ENABLED
	}
	return m
}

// token is a page token of the key after which a list continues, empty for an empty key.
func token(parts ...string) string {
	text := strings.Join(parts, "\x00")
	if strings.Trim(text, "\x00") == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// continued reads the parts of a page token.
func continued(req interface{ GetPageToken() string }, parts int) ([]string, error) {
	if req.GetPageToken() == "" {
		return make([]string, parts), nil
	}
	text, err := base64.RawURLEncoding.DecodeString(req.GetPageToken())
	after := strings.Split(string(text), "\x00")
	if err != nil || len(after) != parts {
		e := fault.Field("page_token", "is not one that this list gave")
		e.Reason = fault.ReasonInvalidPageToken
		return nil, e
	}
	return after, nil
}
