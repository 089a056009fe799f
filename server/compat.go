package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// The ways in which a server can be told to do as Altinn does where Behalf does better.
const (
	// CompatAnyOf joins several AnyOf of one category in a target by OR; the standard joins
	// them by AND. It holds for all policies; one alone can be put that way.
	CompatAnyOf = "altinn-anyof"
	// CompatUpload takes any text as a policy. One that is none decides nothing.
	CompatUpload = "altinn-upload"
	// CompatOpenDecision lets anybody ask for decisions at Altinn's path.
	CompatOpenDecision = "altinn-open-decision"
	// CompatAltinn is all of them.
	CompatAltinn = "altinn"
)

// compats are the ways one by one.
var compats = []string{CompatAnyOf, CompatUpload, CompatOpenDecision}

// compatible reports whether the server was told to do as Altinn does in this way.
func (c Config) compatible(way string) bool {
	return slices.Contains(c.Compat, way) || slices.Contains(c.Compat, CompatAltinn)
}

// validateCompat refuses names of no way.
func (c Config) validateCompat() error {
	var faults []error
	for _, name := range c.Compat {
		if name != CompatAltinn && !slices.Contains(compats, name) {
			faults = append(faults, fmt.Errorf("--compat: %q is not %s, or %s for all of them", name, strings.Join(compats, ", "), CompatAltinn))
		}
	}
	return errors.Join(faults...)
}

// warnCompat says at each start what is less strict than it should be.
func (s *Server) warnCompat(ctx context.Context) {
	if s.cfg.compatible(CompatUpload) {
		s.cfg.Logger.WarnContext(ctx, "policies are taken unread: a text that is no policy denies everything it should decide about",
			slog.String("compat", CompatUpload))
	}
	if s.cfg.compatible(CompatOpenDecision) {
		s.cfg.Logger.WarnContext(ctx, "anybody who reaches the HTTP port may ask for decisions about anybody",
			slog.String("compat", CompatOpenDecision))
	}
}
