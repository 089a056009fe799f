package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/demo"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// demoTokens is how long the tokens of a demonstration last.
const demoTokens = 24 * time.Hour

// runDemo runs a server over a directory that goes when it stops.
func (c *serveCommand) runDemo(ctx context.Context) (err error) {
	if c.config.DataDir, err = os.MkdirTemp("", "behalf-demo-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.config.DataDir)) }()
	s, err := server.New(ctx, c.config)
	if err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Run(running) })
	group.Go(func() error {
		err := c.loadDemo(running, s)
		if ctx.Err() != nil {
			return nil // stopped while it was loading
		}
		return err
	})
	return errors.Join(group.Wait(), s.Close())
}

// loadDemo imports the register, makes the tokens that the questions need and prints
// the questions.
func (c *serveCommand) loadDemo(ctx context.Context, s *server.Server) error {
	if err := s.Ready(ctx); err != nil {
		return err
	}
	dir := c.config.DataDir
	key, err := server.ReadAdminKey(dir)
	if err != nil {
		return err
	}
	register := filepath.Join(dir, "register.jsonl")
	if err := os.WriteFile(register, demo.Register, 0o600); err != nil {
		return err
	}
	files, err := new(openFlags).open([]string{register})
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }()
	authorized := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
	outcome, err := new(importCommand).transfer(authorized, behalfv1.NewRegisterServiceClient(s.Conn()), files, newProgress(io.Discard))
	if err != nil {
		return fmt.Errorf("load the demonstration's register: %w", err)
	}
	if refused(outcome) > 0 {
		return fmt.Errorf("load the demonstration's register: %s", refusal(outcome.GetRefusals()[0]))
	}
	for name, user := range demo.Users {
		token, err := server.SignToken(dir, server.UserClaims(user.UserID, user.PartyID, 3), demoTokens)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".token"), []byte(token), 0o600); err != nil {
			return err
		}
	}
	scheme := "http://"
	if c.config.TLS.CertFile != "" {
		scheme = "https://"
	}
	demo.Print(c.Out, scheme+s.HTTPAddr(), dir)
	return nil
}
