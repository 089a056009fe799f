package policy

import (
	"context"
	"errors"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Config is what a Server needs. All of it is required.
type Config struct {
	Policies *policy.Service
	// Logger keeps who changed which policy, beside the events of the calls.
	Logger *slog.Logger
}

// Server is the PolicyService.
type Server struct {
	behalfv1.UnimplementedPolicyServiceServer

	policies *policy.Service
	logger   *slog.Logger
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Policies == nil || c.Logger == nil {
		return nil, errors.New("rpc/policy: policies and a logger are required")
	}
	return &Server{policies: c.Policies, logger: c.Logger}, nil
}

// Register adds the service to a server or channel.
func (s *Server) Register(r grpc.ServiceRegistrar) { behalfv1.RegisterPolicyServiceServer(r, s) }

// PutPolicy makes a text the policy of something.
func (s *Server) PutPolicy(ctx context.Context, req *behalfv1.PutPolicyRequest) (*behalfv1.PutPolicyResponse, error) {
	ref, expected, err := expecting(ctx, req.GetRef(), req.GetIfMatch(), req.GetIfNoneMatch())
	if err != nil {
		return nil, err
	}
	by := caller.From(ctx).Name
	written, err := s.policies.PutPolicy(ctx, policy.Upload{
		Ref: ref, Text: req.GetText(), AnyOf: req.GetAnyOfPerCategory(), Expected: expected, By: by,
	})
	if err != nil {
		return nil, err
	}
	if written.Changed {
		s.logger.WarnContext(ctx, "policy put", "policy", ref.String(), "etag", written.Version.ETag(), "by", by)
	}
	tag(ctx, written.Version)
	return &behalfv1.PutPolicyResponse{
		Etag: written.Version.ETag(), Created: written.Created, Changed: written.Changed,
		Warnings: findings(written.Findings), Faults: findings(written.Invalid), Revision: string(written.Revision),
	}, nil
}

// GetPolicy returns a policy with its text.
func (s *Server) GetPolicy(ctx context.Context, req *behalfv1.GetPolicyRequest) (*behalfv1.GetPolicyResponse, error) {
	ref, err := reference(ctx, req.GetRef())
	if err != nil {
		return nil, err
	}
	at := relation.At{AtLeast: relation.Revision(req.GetAtLeastAsFresh())}
	entry, text, revision, err := s.policies.Text(ctx, at, ref, req.GetEtag())
	if err != nil {
		return nil, err
	}
	tag(ctx, entry.Version)
	return &behalfv1.GetPolicyResponse{Policy: message(entry), Text: text, Revision: string(revision)}, nil
}

// ListPolicies returns the current policies.
func (s *Server) ListPolicies(ctx context.Context, req *behalfv1.ListPoliciesRequest) (*behalfv1.ListPoliciesResponse, error) {
	after, err := afterToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	at := relation.At{AtLeast: relation.Revision(req.GetAtLeastAsFresh())}
	page, next, revision, err := s.policies.List(ctx, at, after, size(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &behalfv1.ListPoliciesResponse{NextPageToken: listToken(next), Revision: string(revision)}
	for _, e := range page {
		out.Policies = append(out.Policies, message(e))
	}
	return out, nil
}

// ListPolicyHistory returns what was done to a policy.
func (s *Server) ListPolicyHistory(ctx context.Context, req *behalfv1.ListPolicyHistoryRequest) (*behalfv1.ListPolicyHistoryResponse, error) {
	ref, err := reference(ctx, req.GetRef())
	if err != nil {
		return nil, err
	}
	before, err := beforeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	changes, more, err := s.policies.History(ctx, ref, before, size(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &behalfv1.ListPolicyHistoryResponse{}
	for _, c := range changes {
		out.Changes = append(out.Changes, change(c))
	}
	if more {
		out.NextPageToken = historyToken(changes[len(changes)-1].Number)
	}
	return out, nil
}

// RollbackPolicy makes a version current that was so before.
func (s *Server) RollbackPolicy(ctx context.Context, req *behalfv1.RollbackPolicyRequest) (*behalfv1.RollbackPolicyResponse, error) {
	ref, expected, err := expecting(ctx, req.GetRef(), req.GetIfMatch(), "")
	if err != nil {
		return nil, err
	}
	by := caller.From(ctx).Name
	written, err := s.policies.RollBack(ctx, ref, unquoted(req.GetEtag()), expected, by)
	if err != nil {
		return nil, err
	}
	s.logger.WarnContext(ctx, "policy rolled back", "policy", ref.String(), "etag", written.Version.ETag(), "by", by)
	tag(ctx, written.Version)
	return &behalfv1.RollbackPolicyResponse{Etag: written.Version.ETag(), Revision: string(written.Revision)}, nil
}

// DeletePolicy takes a policy away.
func (s *Server) DeletePolicy(ctx context.Context, req *behalfv1.DeletePolicyRequest) (*behalfv1.DeletePolicyResponse, error) {
	ref, expected, err := expecting(ctx, req.GetRef(), req.GetIfMatch(), "")
	if err != nil {
		return nil, err
	}
	by := caller.From(ctx).Name
	revision, err := s.policies.DeletePolicy(ctx, ref, expected, by)
	if err != nil {
		return nil, err
	}
	s.logger.WarnContext(ctx, "policy deleted", "policy", ref.String(), "by", by)
	return &behalfv1.DeletePolicyResponse{Revision: string(revision)}, nil
}

// expecting returns what is to be changed, and what the writer expects there.
func expecting(ctx context.Context, m *behalfv1.PolicyRef, match, noneMatch string) (policy.Ref, policy.Expected, error) {
	ref, err := reference(ctx, m)
	if err != nil {
		return ref, policy.Expected{}, err
	}
	expected, err := expect(ctx, match, noneMatch)
	return ref, expected, err
}

// tag tells the version to whoever knows ETags from HTTP.
func tag(ctx context.Context, v policy.Version) {
	// It fails without a transport, where nobody would read it.
	_ = grpc.SetHeader(ctx, metadata.Pairs("etag", `"`+v.ETag()+`"`))
}
