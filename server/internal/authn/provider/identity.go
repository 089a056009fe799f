package provider

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// Limits of what a token may bring.
const (
	maxNames      = 512
	maxNameLength = 256
)

var (
	pidText      = regexp.MustCompile(`^[0-9]{11}$`)
	consumerText = regexp.MustCompile(`^0192:([0-9]{9})$`)
)

// believed is what is believed of a token.
type believed struct {
	authn.Identity
	Caller caller.Caller
}

// identity returns what the claims say, as far as the issuer is believed. A claim that it is
// believed for and that is there and wrong is refused: it must not pass for one that is not there.
func (p *Provider) identity(c *claims) (b believed, err error) {
	b.Issuer, b.Provider, b.Provision = p.entry.Issuer, p.entry.Name, p.entry.Provision
	if p.believes(Subject) {
		b.Subject = c.Subject
	}
	if len(b.Subject) > maxNameLength {
		return b, refused("the token's sub is longer than 256 bytes")
	}
	b.Caller = caller.Caller{Issuer: p.entry.Issuer, IssuedTo: b.Subject}
	consumer, err := p.consumer(c)
	if err != nil {
		return b, err
	}
	if p.believes(Altinn) {
		altinn, found, err := authn.AltinnUser(c.all)
		if err != nil {
			return b, err
		}
		if found {
			b.Caller.UserID, b.Caller.PartyID, b.Caller.Level = altinn.UserID, altinn.PartyID, altinn.Level
		}
	}
	if b.PID, err = p.pid(c); err != nil {
		return b, err
	}
	if b.Caller.Groups, err = p.names(c, Groups, p.entry.Claims.Groups, "groups"); err != nil {
		return b, err
	}
	if b.Caller.Permissions, err = p.names(c, Permissions, p.entry.Claims.Permissions, "permissions"); err != nil {
		return b, err
	}
	if consumer != "" || b.Caller.UserID == 0 && b.PID == "" && c.ofClient() {
		return b, p.service(c, consumer, &b)
	}
	b.Caller.Kind = caller.User
	if p.believes(Levels) {
		b.Caller.Level = max(b.Caller.Level, p.Level(c.ACR, c.AMR))
	}
	return b, nil
}

// service makes the caller a program, with the scopes that the issuer may give.
func (p *Provider) service(c *claims, consumer string, b *believed) error {
	if b.Caller.UserID != 0 || b.PID != "" {
		return refused("the token names both a person and an organisation")
	}
	b.Provision, b.Caller.Kind, b.Caller.Consumer = false, caller.Service, consumer
	b.Caller.Name = p.entry.Name
	for _, name := range []string{consumer, b.Subject} {
		if name != "" {
			b.Caller.Name += ":" + name[:min(len(name), 96)]
			break
		}
	}
	if !p.believes(Scopes) && !p.believes(Behalf) {
		return nil
	}
	ours, others, err := authn.Scopes(c.all["scope"])
	if err != nil {
		return err
	}
	if p.believes(Behalf) {
		b.Caller.Scopes = ours
	}
	if p.believes(Scopes) {
		b.Caller.Granted = others
	}
	return nil
}

// ofClient reports whether a token was given to a program for itself: its subject is the
// client (RFC 9068, section 2.2), or it has none.
func (c *claims) ofClient() bool {
	return c.Subject == "" || c.Subject == c.ClientID || c.ClientID == "" && c.Subject == c.Party
}

func (p *Provider) pid(c *claims) (string, error) {
	raw := c.lookup(cmp.Or(p.entry.Claims.PID, "pid"))
	if !p.believes(PID) || raw == nil {
		return "", nil
	}
	var pid string
	if json.Unmarshal(raw, &pid) != nil || !pidText.MatchString(pid) {
		return "", refused("the token's national identity number is not eleven digits")
	}
	return pid, nil
}

// consumer returns the organisation number of whom Maskinporten gave the token to.
func (p *Provider) consumer(c *claims) (string, error) {
	raw := c.lookup(cmp.Or(p.entry.Claims.Consumer, "consumer"))
	if !p.believes(Consumer) || raw == nil {
		return "", nil
	}
	var is struct {
		Authority string `json:"authority"`
		ID        string `json:"ID"`
	}
	if json.Unmarshal(raw, &is) != nil || is.Authority != "iso6523-actorid-upis" || !consumerText.MatchString(is.ID) {
		return "", refused("the token's consumer is not an organisation number of iso6523-actorid-upis")
	}
	return strings.TrimPrefix(is.ID, "0192:"), nil
}

// names reads a list of names, or one.
func (p *Provider) names(c *claims, b Belief, claim, usual string) ([]string, error) {
	raw := c.lookup(cmp.Or(claim, usual))
	if !p.believes(b) || raw == nil {
		return nil, nil
	}
	var list audience
	if json.Unmarshal(raw, &list) != nil {
		return nil, refused("the token's " + usual + " are neither a string nor a list of strings")
	}
	if len(list) > maxNames || slices.ContainsFunc(list, func(s string) bool { return s == "" || len(s) > maxNameLength }) {
		return nil, refused("the token's " + usual + " are more than 512, or one is empty or longer than 256 bytes")
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// lookup returns a claim, by its name or by the way to it through objects.
func (c *claims) lookup(name string) json.RawMessage {
	if raw, found := c.all[name]; found {
		return unlessNull(raw)
	}
	first, rest, found := strings.Cut(name, ".")
	inner := c.all[first]
	for found && inner != nil {
		var object map[string]json.RawMessage
		if json.Unmarshal(inner, &object) != nil {
			return nil
		}
		first, rest, found = strings.Cut(rest, ".")
		inner = object[first]
		if !found {
			return unlessNull(inner)
		}
	}
	return nil
}

func unlessNull(raw json.RawMessage) json.RawMessage {
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return raw
}

// Level returns the level of a login: that of its acr, or the highest of its amr when the
// entry has levels of those. What the entry does not name is level 0.
func (p *Provider) Level(acr string, amr []string) int {
	level := p.entry.Levels.ACR[acr]
	for _, m := range amr {
		level = max(level, p.entry.Levels.AMR[m])
	}
	return level
}
