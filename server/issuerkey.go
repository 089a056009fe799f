package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// validateIssuerKey refuses a file that holds no keys to sign tokens with.
func (c Config) validateIssuerKey() error {
	if c.IssuerKeyFile == "" {
		return nil
	}
	if _, err := authn.ReadIssuerKeys(c.IssuerKeyFile); err != nil {
		return fmt.Errorf("--issuer-key: %w", err)
	}
	return nil
}

// openIssuer opens the local issuer with the keys that servers share, or else with one of its own,
// which it makes at the first start and others do not know.
func (s *Server) openIssuer(ctx context.Context) (*authn.Issuer, error) {
	if s.cfg.IssuerKeyFile == "" {
		if s.shared != nil {
			s.cfg.Logger.WarnContext(ctx, "this server signs tokens with a key of its own: other servers of the database refuse them, "+
				"and it refuses theirs; give all of them one file by --issuer-key", "data_dir", s.cfg.DataDir)
		}
		issuer, err := authn.OpenIssuer(s.cfg.DataDir)
		if err != nil {
			return nil, fmt.Errorf("open the token issuer's key: %w", err)
		}
		return issuer, nil
	}
	issuer, err := authn.ReadIssuerKeys(s.cfg.IssuerKeyFile)
	if err != nil {
		return nil, fmt.Errorf("--issuer-key: %w", err)
	}
	if s.shared == nil {
		return issuer, nil
	}
	s.shared.forgetKeys, err = postgres.KeepKeys(ctx, s.cfg.Datastore, issuer.KeyIDs())
	if errors.Is(err, postgres.ErrOtherKeys) {
		return nil, fmt.Errorf("--issuer-key: %s: %w; give all servers the same file", s.cfg.IssuerKeyFile, err)
	}
	if err != nil {
		return nil, err
	}
	return issuer, nil
}
