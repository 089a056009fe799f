package certificate

import (
	"crypto/tls"
	"fmt"
	"regexp"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Entry says which service a certificate is.
type Entry struct {
	// Name is a DNS name or URI of the certificate, such as spiffe://example.org/portal.
	Name string `yaml:"name"`
	// Service is what logs and records call it. Default its Name.
	Service string `yaml:"service"`
	// Scopes are what it may do.
	Scopes []string `yaml:"scopes"`
}

var serviceName = regexp.MustCompile(`^[0-9A-Za-z._:/-]{1,128}$`)

// Faults returns what is wrong with entries.
func Faults(entries []Entry) (faults []error) {
	seen := make(map[string]bool)
	for i, e := range entries {
		where := fmt.Sprintf("certificates[%d]", i)
		if e.Name == "" || len(e.Name) > 2048 {
			faults = append(faults, fmt.Errorf("%s: name must be a DNS name or URI of a certificate", where))
		}
		if seen[e.Name] {
			faults = append(faults, fmt.Errorf("%s: another entry has the name %s", where, e.Name))
		}
		seen[e.Name] = true
		if e.Service != "" && !serviceName.MatchString(e.Service) {
			faults = append(faults, fmt.Errorf("%s: service %.40q must be letters, digits and . _ : / -", where, e.Service))
		}
		for _, s := range e.Scopes {
			if !slices.Contains(caller.Scopes, caller.Scope(s)) {
				faults = append(faults, fmt.Errorf("%s: scopes: %.60q is not one of %v", where, s, caller.Scopes))
			}
		}
	}
	return faults
}

// Callers are the services that entries name. The zero Callers knows none.
type Callers struct{ byName map[string]caller.Caller }

// New returns the services of entries that Faults has nothing against.
func New(entries []Entry) Callers {
	c := Callers{make(map[string]caller.Caller, len(entries))}
	for _, e := range entries {
		who := caller.Caller{Kind: caller.Service, Name: e.Service}
		if who.Name == "" {
			who.Name = e.Name[:min(len(e.Name), 128)]
		}
		for _, s := range caller.Scopes { // in the order of their declaration, each once
			if slices.Contains(e.Scopes, string(s)) {
				who.Scopes = append(who.Scopes, s)
			}
		}
		c.byName[e.Name] = who
	}
	return c
}

// Caller returns the service of a certificate with the names, nobody when it is none. The
// error is an Unauthenticated fault when the names are of two services: which one calls is
// not guessed.
func (c Callers) Caller(names []string) (who caller.Caller, err error) {
	for _, name := range names {
		is, known := c.byName[name]
		switch {
		case !known:
		case who.Kind != caller.Nobody && who.Name != is.Name:
			return caller.Caller{}, fault.New(fault.Unauthenticated, fault.ReasonCredentialsInvalid, "the certificate names two services")
		case who.Kind == caller.Nobody:
			who = is
		}
	}
	return who, nil
}

// Names returns the DNS names and URIs of the client's certificate, none when it has none or
// none that the TLS layer has verified. The gateway, which imports nothing of the server, reads
// certificates at its port in the same way.
func Names(state tls.ConnectionState) []string {
	if !state.HandshakeComplete || len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return nil
	}
	leaf := state.VerifiedChains[0][0]
	names := slices.Clone(leaf.DNSNames)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	return names
}
