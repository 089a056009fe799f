package register

import (
	"context"
	"errors"
	"time"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// DefaultIdle is how long an import waits for the client's next message.
const DefaultIdle = time.Minute

// Config is what a Server needs.
type Config struct {
	Register *register.Service
	Idle     time.Duration // 0 means DefaultIdle
}

// Server is the RegisterService.
type Server struct {
	behalfv1.UnimplementedRegisterServiceServer

	register *register.Service
	idle     time.Duration
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Register == nil {
		return nil, errors.New("rpc/register: a register is required")
	}
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	return &Server{register: c.Register, idle: c.Idle}, nil
}

// PutParty adds a party, or replaces what is recorded of it.
func (s *Server) PutParty(ctx context.Context, req *behalfv1.PutPartyRequest) (*behalfv1.PutPartyResponse, error) {
	if req.GetParty() == nil {
		return nil, fault.Field("party", "is required")
	}
	p, revision, err := s.register.PutParty(ctx, req.GetSource(), partyRecord(req.GetParty()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.PutPartyResponse{Party: partyMessage(p), UserId: int64(p.UserID), Revision: string(revision)}, nil
}

// DeleteParty removes a party and every assignment to and from it.
func (s *Server) DeleteParty(ctx context.Context, req *behalfv1.DeletePartyRequest) (*behalfv1.DeletePartyResponse, error) {
	name, err := reference("party", req.GetParty())
	if err != nil {
		return nil, err
	}
	revision, err := s.register.DeleteParty(ctx, name)
	if err != nil {
		return nil, err
	}
	return &behalfv1.DeletePartyResponse{Revision: string(revision)}, nil
}

// PutAssignment lets a source assert that a party holds a role in another.
func (s *Server) PutAssignment(ctx context.Context, req *behalfv1.PutAssignmentRequest) (*behalfv1.PutAssignmentResponse, error) {
	if req.GetAssignment() == nil {
		return nil, fault.Field("assignment", "is required")
	}
	revision, err := s.register.PutAssignment(ctx, req.GetSource(), assignmentRecord(req.GetAssignment()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.PutAssignmentResponse{Revision: string(revision)}, nil
}

// DeleteAssignment takes a source's assertion back.
func (s *Server) DeleteAssignment(ctx context.Context, req *behalfv1.DeleteAssignmentRequest) (*behalfv1.DeleteAssignmentResponse, error) {
	if req.GetAssignment() == nil {
		return nil, fault.Field("assignment", "is required")
	}
	revision, err := s.register.DeleteAssignment(ctx, req.GetSource(), assignmentRecord(req.GetAssignment()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.DeleteAssignmentResponse{Revision: string(revision)}, nil
}

// JoinPersons moves all that a derived person holds to another person.
func (s *Server) JoinPersons(ctx context.Context, req *behalfv1.JoinPersonsRequest) (*behalfv1.JoinPersonsResponse, error) {
	from, err := reference("from", req.GetFrom())
	if err != nil {
		return nil, err
	}
	into, err := reference("into", req.GetInto())
	if err != nil {
		return nil, err
	}
	revision, err := s.register.JoinPersons(ctx, from, into)
	if err != nil {
		return nil, err
	}
	return &behalfv1.JoinPersonsResponse{Revision: string(revision)}, nil
}
