package server

import (
	"context"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/authn/link"
	"github.com/behalf-authz/behalf/server/internal/party"
	identityrpc "github.com/behalf-authz/behalf/server/internal/rpc/identity"
)

// newLinks returns the service that says which user a login is.
func (s *Server) newLinks() (*identityrpc.Server, error) {
	links, err := link.New(link.Config{
		Store: s.records,
		Exists: func(user int64) bool {
			p, found := s.directory.ByUser(party.UserID(user))
			return found && user != 0 && p.DiedOn == ""
		},
		Record: s.recordLink,
	})
	if err != nil {
		return nil, err
	}
	return identityrpc.New(links)
}

// recordLink records who somebody is to be.
func (s *Server) recordLink(ctx context.Context, c link.Change) error {
	from := origin(ctx)
	e := audit.Entry{
		Kind: audit.Change, Caller: from.Caller, Address: from.Address, Forwarded: from.Forwarded, RequestID: from.RequestID,
		ResourceType: "identity", Resource: c.Issuer + "#" + c.Subject, Action: "link", User: c.User,
		Decision: "Answered", Reason: "was nobody",
	}
	if c.User == 0 {
		e.Action, e.User = "unlink", c.Was
	}
	if c.Was != 0 {
		e.Reason = "was user " + strconv.FormatInt(c.Was, 10)
	}
	if err := s.audit.Put(ctx, e); err != nil {
		return err
	}
	s.cfg.Logger.InfoContext(ctx, "a login is said to be a user", "caller", from.Caller, "issuer", c.Issuer, "user", c.User, "was", c.Was)
	return nil
}
