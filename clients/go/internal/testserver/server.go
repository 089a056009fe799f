package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// What the register holds. Kari manages Bakery, of which Branch is a sub-unit; Ola has no role in
// either.
const (
	KariUser  = 20000490
	KariParty = 50002598
	OlaUser   = 20000491
	OlaParty  = 50002599
	Bakery    = 50076451
	Branch    = 50074838
	Stranger  = 50090001
)

// Org and App name the app that has a policy: managers may read it at any level, write it at level
// 3, and sign it after an obligation urn:test:notify that only a test understands.
const (
	Org = "skd"
	App = "taxreport"
)

// Server is a running server.
type Server struct {
	// Address is that of the gRPC port.
	Address string
	// AdminKey may do everything.
	AdminKey string

	dataDir string
	stop    func() error
}

// Start runs a server until Stop.
func Start(ctx context.Context) (_ *Server, err error) {
	dataDir, err := os.MkdirTemp("", "behalf-client-")
	if err != nil {
		return nil, err
	}
	behalf, err := server.New(ctx, server.Config{DataDir: dataDir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dataDir))
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- behalf.Run(running) }()
	s := &Server{Address: behalf.GRPCAddr(), dataDir: dataDir, stop: func() error {
		stop()
		return errors.Join(<-ended, behalf.Close(), os.RemoveAll(dataDir))
	}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if err := behalf.Ready(ctx); err != nil {
		return nil, err
	}
	if s.AdminKey, err = server.ReadAdminKey(dataDir); err != nil {
		return nil, err
	}
	return s, s.load(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.AdminKey), behalf)
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error { return s.stop() }

// Token returns a token of an end user.
func (s *Server) Token(user, party int64, level int) (string, error) {
	return server.SignToken(s.dataDir, server.UserClaims(user, party, level), time.Hour)
}

// load writes register and policy.
func (s *Server) load(ctx context.Context, behalf *server.Server) error {
	register := behalfv1.NewRegisterServiceClient(behalf.Conn())
	for _, p := range []*behalfv1.PartyRecord{
		{PartyId: KariParty, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "KARI FJELLBEKK", NationalId: "07124912037", UserId: KariUser, Login: true},
		{PartyId: OlaParty, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "OLA STRANDVOLD", NationalId: "03866820227", UserId: OlaUser, Login: true},
		{PartyId: Bakery, Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "FJELLBEKK BAKERI", OrgNumber: "310001007", UnitType: "AS"},
		{PartyId: Branch, Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, Name: "FJELLBEKK BAKERI AVD BERGEN", OrgNumber: "310002003", UnitType: "BEDR", MainUnit: fmt.Sprintf("party:%d", Bakery)},
		{PartyId: Stranger, Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "ANDRES HANDEL", OrgNumber: "310004006", UnitType: "AS"},
	} {
		if _, err := register.PutParty(ctx, &behalfv1.PutPartyRequest{Source: "test", Party: p}); err != nil {
			return fmt.Errorf("put party %d: %w", p.GetPartyId(), err)
		}
	}
	if _, err := register.PutAssignment(ctx, &behalfv1.PutAssignmentRequest{Source: "test", Assignment: &behalfv1.AssignmentRecord{
		From: fmt.Sprintf("party:%d", Bakery), Role: "DAGL", To: fmt.Sprintf("party:%d", KariParty),
	}}); err != nil {
		return fmt.Errorf("put an assignment: %w", err)
	}
	_, err := behalfv1.NewPolicyServiceClient(behalf.Conn()).PutPolicy(ctx, &behalfv1.PutPolicyRequest{
		Ref: &behalfv1.PolicyRef{Org: Org, App: App}, Text: []byte(policy()),
	})
	if err != nil {
		return fmt.Errorf("put the policy: %w", err)
	}
	return nil
}
