package register_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
	rpc "github.com/behalf-authz/behalf/server/internal/rpc/register"
	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
)

// shared is the engine of all tests: writing the schema is what takes time. The one test
// that asks it for an answer asks for a role that no other gives.
var shared *engine.Engine

func TestMain(m *testing.M) { os.Exit(withEngine(m)) }

func withEngine(m *testing.M) (code int) {
	var err error
	if shared, err = engine.New(engine.Config{}); err == nil {
		if err = shared.EnsureSchema(context.Background(), relations.Schema); err == nil {
			code = m.Run()
		}
		err = errors.Join(err, shared.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return 1
	}
	return code
}

// dial serves a register of its own over a loopback port.
func dial(t *testing.T, idle time.Duration) behalfv1.RegisterServiceClient {
	t.Helper()
	catalogue, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	store, err := records.Open(t.Context(), records.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	writes, err := register.New(register.Config{
		Records: store, Relations: shared, Directory: party.NewDirectory(), Catalogue: catalogue, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	service, err := rpc.New(rpc.Config{Register: writes, Idle: idle})
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			answer, err := next(ctx, req)
			return answer, rpcstatus.Error(err)
		}),
		grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			return rpcstatus.Error(next(srv, s))
		}))
	behalfv1.RegisterRegisterServiceServer(server, service)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return behalfv1.NewRegisterServiceClient(conn)
}

func header(h *behalfv1.ImportHeader) *behalfv1.ImportRequest {
	return &behalfv1.ImportRequest{Message: &behalfv1.ImportRequest_Header{Header: h}}
}

func batch(source string, entries ...*behalfv1.ImportEntry) *behalfv1.ImportRequest {
	return &behalfv1.ImportRequest{Message: &behalfv1.ImportRequest_Batch{Batch: &behalfv1.ImportBatch{Source: source, Entries: entries}}}
}

func partyEntry(line int64, p *behalfv1.PartyRecord) *behalfv1.ImportEntry {
	return &behalfv1.ImportEntry{File: "f", Line: line, Entry: &behalfv1.ImportEntry_Party{Party: p}}
}

func roleEntry(line int64, a *behalfv1.AssignmentRecord) *behalfv1.ImportEntry {
	return &behalfv1.ImportEntry{File: "f", Line: line, Entry: &behalfv1.ImportEntry_Assignment{Assignment: a}}
}

var (
	unit   = &behalfv1.PartyRecord{PartyId: 1, Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "SKROVA", OrgNumber: "910042963", UnitType: "AS"}
	person = &behalfv1.PartyRecord{PartyId: 2, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "KASPER", NationalId: "07124912037", UserId: 7, Login: true}
	dagl   = &behalfv1.AssignmentRecord{From: "org:910042963", Role: "DAGL", To: "party:2"}
)

// run sends messages and returns the answers.
func run(t *testing.T, c behalfv1.RegisterServiceClient, messages ...*behalfv1.ImportRequest) (*behalfv1.ImportOutcome, []behalfv1.ImportPhase, error) {
	t.Helper()
	stream, err := c.Import(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	var (
		outcome *behalfv1.ImportOutcome
		phases  []behalfv1.ImportPhase
	)
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return outcome, phases, nil
		}
		if err != nil {
			return nil, phases, err
		}
		if outcome != nil {
			t.Fatal("an answer after the outcome")
		}
		outcome = answer.GetOutcome()
		if p := answer.GetProgress(); p != nil {
			phases = append(phases, p.GetPhase())
		}
	}
}

func want(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	s := status.Convert(err)
	got := ""
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			got = info.GetReason()
		}
	}
	if s.Code() != code || got != reason {
		t.Errorf("error = %v with reason %q, want %v with %q", err, got, code, reason)
	}
}

func TestImport(t *testing.T) {
	c := dial(t, 0)
	bad := &behalfv1.ImportEntry{File: "f", Line: 4, Entry: &behalfv1.ImportEntry_Unreadable{Unreadable: &behalfv1.UnreadableEntry{Field: "x", Message: "y"}}}
	late := &behalfv1.AssignmentRecord{From: "party:1", Role: "PROK", To: "party:2", ExpiresAt: timestamppb.New(time.Now().Add(time.Hour))}
	got, phases, err := run(t, c, header(&behalfv1.ImportHeader{Sources: []string{"a", "b"}}),
		batch("a", roleEntry(1, dagl), partyEntry(2, unit)), batch("a", partyEntry(3, person), bad),
		batch("b", roleEntry(1, late), roleEntry(2, &behalfv1.AssignmentRecord{From: "party:1", Role: "NO", To: "party:2"})))
	if err != nil {
		t.Fatal(err)
	}
	if got.GetRevision() == "" {
		t.Error("no revision")
	}
	wanted := &behalfv1.ImportOutcome{
		Revision: got.GetRevision(),
		Sources: []*behalfv1.SourceOutcome{
			{Source: "a", Parties: &behalfv1.ImportCounts{Added: 2}, Assignments: &behalfv1.ImportCounts{Added: 1}, Unreadable: 1},
			{Source: "b", Parties: &behalfv1.ImportCounts{}, Assignments: &behalfv1.ImportCounts{Added: 1, Refused: 1}},
		},
		Refusals: []*behalfv1.ImportRefusal{
			{File: "f", Line: 4, Field: "x", Message: "y"},
			{File: "f", Line: 2, Field: "role", Message: `the catalogue has no role "NO"; give a code, legacy code or URN, such as DAGL`},
		},
	}
	if diff := cmp.Diff(wanted, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	reading, comparing, writing := behalfv1.ImportPhase_IMPORT_PHASE_READING, behalfv1.ImportPhase_IMPORT_PHASE_COMPARING, behalfv1.ImportPhase_IMPORT_PHASE_WRITING
	if diff := cmp.Diff([]behalfv1.ImportPhase{reading, comparing, comparing, writing, writing}, phases); diff != "" {
		t.Error(diff)
	}
	answers, _, err := shared.Check(t.Context(), relation.At{AtLeast: relation.Revision(got.GetRevision())},
		relation.Question{Object: relation.Party(1), Permission: "has_prok", Subject: relation.User(7)})
	if err != nil || !answers[0].Allowed {
		t.Errorf("Check = %v, %v", answers, err)
	}
	_, _, err = run(t, c, header(&behalfv1.ImportHeader{Sources: []string{"a"}}))
	want(t, err, codes.FailedPrecondition, "REMOVALS_EXCEED_LIMIT")
	got, _, err = run(t, c, header(&behalfv1.ImportHeader{Sources: []string{"a"}, DryRun: true}))
	if err != nil || got.GetSources()[0].GetParties().GetRemoved() != 2 || !got.GetDryRun() {
		t.Errorf("dry run = %v, %v", got, err)
	}
}

func TestImportProtocol(t *testing.T) {
	c := dial(t, 0)
	h := header(&behalfv1.ImportHeader{Sources: []string{"a"}})
	for name, messages := range map[string][]*behalfv1.ImportRequest{
		"nothing":      nil,
		"no header":    {batch("a")},
		"two headers":  {h, h},
		"other source": {h, batch("b")},
		"no sources":   {header(&behalfv1.ImportHeader{})},
		"empty entry":  {h, batch("a", &behalfv1.ImportEntry{})},
		"large batch":  {h, batch("a", make([]*behalfv1.ImportEntry, 10_001)...)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, m := range messages {
				for i, e := range m.GetBatch().GetEntries() {
					if e == nil {
						m.GetBatch().Entries[i] = partyEntry(1, unit)
					}
				}
			}
			_, _, err := run(t, c, messages...)
			want(t, err, codes.InvalidArgument, "INVALID_ARGUMENT")
		})
	}
	if _, _, err := run(t, c, h, batch("a", partyEntry(1, unit))); err != nil {
		t.Errorf("after them all: %v", err)
	}
}

func TestAQuietClientDoesNotHoldTheRegister(t *testing.T) {
	c := dial(t, 50*time.Millisecond)
	quiet, err := c.Import(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := quiet.Send(header(&behalfv1.ImportHeader{Sources: []string{"a"}})); err != nil {
		t.Fatal(err)
	}
	_, err = quiet.Recv()
	want(t, err, codes.DeadlineExceeded, "IMPORT_IDLE")
	if _, _, err := run(t, c, header(&behalfv1.ImportHeader{Sources: []string{"b"}})); err != nil {
		t.Errorf("the next import: %v", err)
	}
}

func TestOneImportAtATime(t *testing.T) {
	c := dial(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	first, err := c.Import(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Send(header(&behalfv1.ImportHeader{Sources: []string{"a"}})), first.Send(batch("a", partyEntry(1, unit)))); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Recv(); err != nil { // it is reading, so it has begun
		t.Fatal(err)
	}
	_, _, err = run(t, c, header(&behalfv1.ImportHeader{Sources: []string{"b"}}))
	want(t, err, codes.Aborted, "IMPORT_RUNNING")
	cancel()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, _, err = run(t, c, header(&behalfv1.ImportHeader{Sources: []string{"b"}})); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		t.Errorf("after the first was canceled: %v", err)
	}
}

func TestWrites(t *testing.T) {
	c := dial(t, 0)
	ctx := t.Context()
	put, err := c.PutParty(ctx, &behalfv1.PutPartyRequest{Source: "a", Party: unit})
	if err != nil {
		t.Fatal(err)
	}
	wanted := &behalfv1.PutPartyResponse{Revision: put.GetRevision(), Party: &behalfv1.Party{
		PartyId: 1, PartyUuid: put.GetParty().GetPartyUuid(), Kind: unit.GetKind(), Name: "SKROVA", OrgNumber: "910042963", UnitType: "AS",
	}}
	if diff := cmp.Diff(wanted, put, protocmp.Transform()); diff != "" || put.GetRevision() == "" || len(put.GetParty().GetPartyUuid()) != 36 {
		t.Error(diff, put)
	}
	if put, err = c.PutParty(ctx, &behalfv1.PutPartyRequest{Source: "a", Party: person}); err != nil || put.GetUserId() != 7 {
		t.Errorf("PutParty = %v, %v", put, err)
	}
	derived, err := c.PutParty(ctx, &behalfv1.PutPartyRequest{Source: "a", Party: &behalfv1.PartyRecord{
		Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "KASPER", SourceKey: "k",
	}})
	if err != nil {
		t.Fatal(err)
	}
	byKey := &behalfv1.AssignmentRecord{From: "party:1", Role: "LEDE", To: "key:k"}
	for _, a := range []*behalfv1.AssignmentRecord{dagl, byKey} {
		if answer, err := c.PutAssignment(ctx, &behalfv1.PutAssignmentRequest{Source: "a", Assignment: a}); err != nil || answer.GetRevision() == "" {
			t.Errorf("PutAssignment = %v, %v", answer, err)
		}
	}
	joined, err := c.JoinPersons(ctx, &behalfv1.JoinPersonsRequest{
		From: &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyUuid{PartyUuid: derived.GetParty().GetPartyUuid()}},
		Into: &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_NationalId{NationalId: "07124912037"}},
	})
	if err != nil || joined.GetRevision() == "" {
		t.Errorf("JoinPersons = %v, %v", joined, err)
	}
	if answer, err := c.DeleteAssignment(ctx, &behalfv1.DeleteAssignmentRequest{Source: "a", Assignment: byKey}); err != nil || answer.GetRevision() == "" {
		t.Errorf("DeleteAssignment = %v, %v", answer, err)
	}
	one := &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_OrgNumber{OrgNumber: "910042963"}}
	if answer, err := c.DeleteParty(ctx, &behalfv1.DeletePartyRequest{Party: one}); err != nil || answer.GetRevision() == "" {
		t.Errorf("DeleteParty = %v, %v", answer, err)
	}

	_, err = c.DeleteParty(ctx, &behalfv1.DeletePartyRequest{Party: one})
	want(t, err, codes.NotFound, "PARTY_NOT_FOUND")
	_, err = c.DeleteParty(ctx, &behalfv1.DeletePartyRequest{})
	want(t, err, codes.InvalidArgument, "INVALID_ARGUMENT")
	_, err = c.PutParty(ctx, &behalfv1.PutPartyRequest{Source: "a"})
	want(t, err, codes.InvalidArgument, "INVALID_ARGUMENT")
	_, err = c.PutParty(ctx, &behalfv1.PutPartyRequest{Source: "a", Party: &behalfv1.PartyRecord{PartyId: 2, Kind: unit.GetKind(), Name: "X", OrgNumber: "910042963"}})
	want(t, err, codes.FailedPrecondition, "PARTY_CONFLICT")
	_, err = c.PutAssignment(ctx, &behalfv1.PutAssignmentRequest{Source: "a", Assignment: dagl})
	want(t, err, codes.NotFound, "PARTY_NOT_FOUND")
	_, err = c.PutAssignment(ctx, &behalfv1.PutAssignmentRequest{Source: "a"})
	want(t, err, codes.InvalidArgument, "INVALID_ARGUMENT")
	_, err = c.DeleteAssignment(ctx, &behalfv1.DeleteAssignmentRequest{Source: "a", Assignment: &behalfv1.AssignmentRecord{From: "party:2", Role: "NO", To: "party:2"}})
	want(t, err, codes.InvalidArgument, "UNKNOWN_ROLE")
	_, err = c.DeleteAssignment(ctx, &behalfv1.DeleteAssignmentRequest{Source: "a", Assignment: &behalfv1.AssignmentRecord{From: "party:2", Role: "PRIV", To: "party:2"}})
	want(t, err, codes.NotFound, "ASSIGNMENT_NOT_FOUND")
	_, err = c.JoinPersons(ctx, &behalfv1.JoinPersonsRequest{From: one, Into: one})
	want(t, err, codes.NotFound, "PARTY_NOT_FOUND")
}
