package store

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/registry"
	registryrpc "github.com/behalf-authz/behalf/server/internal/rpc/registry"
)

// batchEntries is how many entries of an export a message carries.
const batchEntries = 1000

// Export sends what each source says.
func (s *Server) Export(_ *behalfv1.ExportRequest, stream behalfv1.StoreService_ExportServer) error {
	out := &sender{stream: stream}
	if err := s.exporter.Export(stream.Context(), out); err != nil {
		return err
	}
	if err := out.flush(); err != nil {
		return err
	}
	s.logger.WarnContext(stream.Context(), "export taken", "entries", out.sent, "by", caller.From(stream.Context()).Name)
	return nil
}

// sender gathers the entries of a source to batches.
type sender struct {
	stream behalfv1.StoreService_ExportServer
	batch  *behalfv1.ImportBatch
	sent   int
}

// Begin sends the header.
func (s *sender) Begin(sources []records.Source) error {
	h := &behalfv1.ExportHeader{}
	for _, source := range sources {
		h.Sources = append(h.Sources, source.Name)
		h.Parties += source.Parties
		h.Assignments += source.Assignments
		h.Delegations += source.Delegations
		h.Registered += source.Registered
	}
	return s.stream.Send(&behalfv1.ExportResponse{Message: &behalfv1.ExportResponse_Header{Header: h}})
}

// Party adds a party to the batch.
func (s *sender) Party(source string, r register.PartyRecord) error {
	return s.add(source, &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_Party{Party: &behalfv1.PartyRecord{
		PartyId: int64(r.ID), PartyUuid: r.UUID, Kind: behalfv1.PartyKind(r.Kind), Name: r.Name, OrgNumber: r.OrgNumber,
		NationalId: r.NationalID, UnitType: r.UnitType, DeletedOn: r.DeletedOn, MainUnit: r.MainUnit, BirthDate: r.BirthDate,
		DiedOn: r.DiedOn, UserId: int64(r.UserID), Login: r.Login, SourceKey: r.Key,
	}}})
}

// Assignment adds an assignment to the batch.
func (s *sender) Assignment(source string, r register.AssignmentRecord) error {
	m := &behalfv1.AssignmentRecord{From: r.From, Role: r.Role, To: r.To}
	if !r.Expires.IsZero() {
		m.ExpiresAt = timestamppb.New(r.Expires)
	}
	return s.add(source, &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_Assignment{Assignment: m}})
}

// Delegation adds a delegation to the batch.
func (s *sender) Delegation(source string, r register.DelegationRecord) error {
	m := &behalfv1.DelegationRecord{
		From: r.From, To: r.To, Via: r.Via, Package: r.Package, Resource: r.Resource, Action: r.Action, Instance: r.Instance, Task: r.Task,
		GivenBy: int64(r.GivenBy), GivenWith: r.GivenWith, GivenAt: timestamppb.New(r.GivenAt),
	}
	if !r.Expires.IsZero() {
		m.ExpiresAt = timestamppb.New(r.Expires)
	}
	return s.add(source, &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_Delegation{Delegation: m}})
}

// Registered adds a system user, an access list or a resource to the batch.
func (s *sender) Registered(source string, e registry.Entry) error {
	return s.add(source, registryrpc.EntryMessage(e))
}

func (s *sender) add(source string, e *behalfv1.ImportEntry) error {
	if s.batch.GetSource() != source || len(s.batch.GetEntries()) >= batchEntries {
		if err := s.flush(); err != nil {
			return err
		}
		s.batch = &behalfv1.ImportBatch{Source: source}
	}
	s.batch.Entries = append(s.batch.Entries, e)
	return nil
}

func (s *sender) flush() error {
	if len(s.batch.GetEntries()) == 0 {
		return nil
	}
	s.sent += len(s.batch.GetEntries())
	batch := s.batch
	s.batch = nil // the stream keeps it
	return s.stream.Send(&behalfv1.ExportResponse{Message: &behalfv1.ExportResponse_Batch{Batch: batch}})
}
