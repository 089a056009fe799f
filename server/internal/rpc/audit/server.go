package audit

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// defaultPage is how long a page is when the call does not say.
const defaultPage = 100

// Searcher finds records.
type Searcher interface {
	Search(ctx context.Context, f audit.Filter, limit int) (found []audit.Entry, more bool, err error)
}

// Server is the AuditService.
type Server struct {
	behalfv1.UnimplementedAuditServiceServer

	records Searcher
}

// New returns a server.
func New(records Searcher) (*Server, error) {
	if records == nil {
		return nil, errors.New("rpc/audit: records are required")
	}
	return &Server{records: records}, nil
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { behalfv1.RegisterAuditServiceServer(r, s) }

// ListAuditRecords returns a page of records.
func (s *Server) ListAuditRecords(ctx context.Context, req *behalfv1.ListAuditRecordsRequest) (*behalfv1.ListAuditRecordsResponse, error) {
	f, err := filter(req)
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	found, more, err := s.records.Search(ctx, f, min(size, audit.MaxPage))
	if err != nil {
		return nil, err
	}
	out := &behalfv1.ListAuditRecordsResponse{Records: make([]*behalfv1.AuditRecord, len(found))}
	for i := range found {
		out.Records[i] = message(&found[i])
	}
	if more {
		out.NextPageToken = found[len(found)-1].ID
	}
	return out, nil
}

func filter(req *behalfv1.ListAuditRecordsRequest) (audit.Filter, error) {
	after, ok := audit.ParseMark(req.GetPageToken())
	if !ok {
		return audit.Filter{}, fault.Field("page_token", "is not from an earlier page")
	}
	f := audit.Filter{
		Kind: audit.Kind(req.GetKind()), User: req.GetUserId(), SystemUser: req.GetSystemUser(), Party: req.GetPartyId(),
		Resource: req.GetResource(), Action: req.GetAction(), Decision: req.GetDecision(), Oldest: req.GetOldestFirst(), After: after,
	}
	for _, of := range []struct {
		field string
		given *timestamppb.Timestamp
		into  *time.Time
	}{{"from", req.GetFrom(), &f.From}, {"until", req.GetUntil(), &f.Until}} {
		if of.given == nil {
			continue
		}
		if t := of.given.AsTime(); of.given.CheckValid() == nil && t.Year() >= firstYear && t.Year() <= lastYear {
			*of.into = t
			continue
		}
		return audit.Filter{}, fault.Field(of.field, "must be a time in the years %d to %d", firstYear, lastYear)
	}
	return f, nil
}

// Times within these years are so many nanoseconds from 1970 that they can be counted.
const firstYear, lastYear = 1970, 2200

func message(e *audit.Entry) *behalfv1.AuditRecord {
	m := &behalfv1.AuditRecord{
		Id: e.ID, Time: timestamppb.New(e.Time), Kind: string(e.Kind), Door: e.Door,
		Caller: e.Caller, Address: e.Address, Forwarded: e.Forwarded, RequestId: e.RequestID,
		UserId: e.User, SubjectPartyId: e.SubjectParty, SubjectPartyUuid: e.SubjectPartyUUID, SystemUser: e.SystemUser,
		OrgCode: e.OrgCode, OrgNumber: e.OrgNumber, Subject: e.Subject, Session: e.Session,
		ResourceType: e.ResourceType, Resource: e.Resource, Org: e.Org, App: e.App, PartyId: e.Party,
		Instance: e.Instance, Task: e.Task, EndEvent: e.EndEvent, Action: e.Action,
		Decision: e.Decision, Status: e.Status, By: e.By, Reason: e.Reason, Policy: e.Policy, Revision: e.Revision,
		LatencyMicroseconds: e.Microseconds, Obligations: e.Obligations,
	}
	for _, a := range e.Attributes {
		m.Attributes = append(m.Attributes, &behalfv1.AuditAttribute{Category: a.Category, Id: a.ID, Values: a.Values})
	}
	return m
}
