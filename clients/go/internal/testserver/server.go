package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/behalf-authz/behalf/clients/corpus"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// What the corpus' register holds. Kari manages Bakery, of which Branch is a sub-unit; Ola has no role in
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

// Credentials returns those of somebody of the corpus: admin, a user at a level such as kari@3, or
// else the text itself.
func (s *Server) Credentials(whose string) (string, error) {
	if whose == "admin" {
		return s.AdminKey, nil
	}
	name, text, is := strings.Cut(whose, "@")
	if !is {
		return whose, nil
	}
	asked, err := corpus.Read()
	if err != nil {
		return "", err
	}
	level, err := strconv.Atoi(text)
	if err != nil {
		return "", err
	}
	return s.Token(asked.Users[name].UserID, asked.Users[name].PartyID, level)
}

// Token returns a token of an end user.
func (s *Server) Token(user, party int64, level int) (string, error) {
	return server.SignToken(s.dataDir, server.UserClaims(user, party, level), time.Hour)
}

// load writes the corpus' register and policies.
func (s *Server) load(ctx context.Context, behalf *server.Server) error {
	asked, err := corpus.Read()
	if err != nil {
		return err
	}
	register := behalfv1.NewRegisterServiceClient(behalf.Conn())
	for _, text := range asked.Parties {
		p := new(behalfv1.PartyRecord)
		if err := protojson.Unmarshal(text, p); err != nil {
			return err
		}
		if _, err := register.PutParty(ctx, &behalfv1.PutPartyRequest{Source: "test", Party: p}); err != nil {
			return fmt.Errorf("put party %d: %w", p.GetPartyId(), err)
		}
	}
	for _, text := range asked.Assignments {
		a := new(behalfv1.AssignmentRecord)
		if err := protojson.Unmarshal(text, a); err != nil {
			return err
		}
		if _, err := register.PutAssignment(ctx, &behalfv1.PutAssignmentRequest{Source: "test", Assignment: a}); err != nil {
			return fmt.Errorf("put an assignment: %w", err)
		}
	}
	policies := behalfv1.NewPolicyServiceClient(behalf.Conn())
	for _, p := range asked.Policies {
		text, err := p.Text()
		if err != nil {
			return err
		}
		if _, err := policies.PutPolicy(ctx, &behalfv1.PutPolicyRequest{Ref: &behalfv1.PolicyRef{Org: p.Org, App: p.App}, Text: text}); err != nil {
			return fmt.Errorf("put the policy of %s/%s: %w", p.Org, p.App, err)
		}
	}
	return nil
}
