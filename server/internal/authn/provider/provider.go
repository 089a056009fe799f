package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// DefaultSkew is how far an issuer's clock may be off when its entry does not say.
const DefaultSkew = 10 * time.Second

// Config is what a Provider needs.
type Config struct {
	// Entry is one that Validate has no fault with.
	Entry  Entry
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Provider is one identity provider. It is safe for concurrent use.
type Provider struct {
	entry    Entry
	now      func() time.Time
	client   *http.Client
	keys     *keys
	metadata *metadata
	skew     time.Duration
	secrets  secrets
	inquiry  *inquiry

	managerClient *http.Client // nil when the provider is no manager
}

// New returns the provider of an entry. It asks nobody anything until it must: a provider
// that is down holds up no start.
func New(c Config) (*Provider, error) {
	e := c.Entry
	if c.Logger == nil {
		return nil, fmt.Errorf("issuers.%s: a provider needs a log", e.Name)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	u, err := url.Parse(e.Issuer)
	local := err == nil && loopback(u.Hostname())
	if j, err := url.Parse(e.JWKS); err == nil && loopback(j.Hostname()) {
		local = true
	}
	p := &Provider{entry: e, now: c.Now, client: newClient(local), skew: DefaultSkew}
	if e.Skew != nil {
		p.skew = time.Duration(*e.Skew)
	}
	if p.secrets, err = readSecrets(e); err != nil {
		return nil, err
	}
	algorithms := []jose.SignatureAlgorithm{jose.RS256}
	if len(e.Algorithms) > 0 {
		algorithms = nil
		for _, a := range e.Algorithms {
			algorithms = append(algorithms, jose.SignatureAlgorithm(a))
		}
	}
	p.metadata = &metadata{client: p.client, issuer: e.Issuer, now: c.Now}
	p.keys = &keys{
		client: p.client, algorithms: algorithms, address: p.keysAddress, now: c.Now,
		logger: c.Logger.With("issuer", e.Name),
	}
	if e.Introspection != nil {
		p.inquiry = newInquiry(p)
	}
	if e.Manager != nil {
		p.managerClient = e.Manager.client()
	}
	return p, nil
}

func (p *Provider) keysAddress(ctx context.Context) (string, error) {
	if p.entry.JWKS != "" {
		return p.entry.JWKS, nil
	}
	told, err := p.metadata.get(ctx)
	return told.JWKS, err
}

// Name is by what people know the provider.
func (p *Provider) Name() string { return p.entry.Name }

// Entry is what the issuers file says of the provider.
func (p *Provider) Entry() Entry { return p.entry }

// Issuer returns the iss of the tokens it verifies.
func (p *Provider) Issuer() string { return p.entry.Issuer }

// Generation changes when a key goes, so that nobody relies on a token verified before.
func (p *Provider) Generation() uint64 { return p.keys.generation.Load() }

// believes reports whether the entry names the belief.
func (p *Provider) believes(b Belief) bool { return slices.Contains(p.entry.Believe, b) }

// secureEndpoint is secure for addresses that may have a query.
func secureEndpoint(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	u.RawQuery = ""
	return secure(u.String())
}

// Discover returns what the provider tells of itself. The error is an Unavailable fault.
func (p *Provider) Discover(ctx context.Context) (Metadata, error) {
	told, err := p.metadata.get(ctx)
	if err != nil {
		return Metadata{}, unavailable("the identity provider cannot be reached now").Because(err)
	}
	return told, nil
}

var errSecret = errors.New("the file is empty")
