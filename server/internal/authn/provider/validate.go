package provider

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn/certificate"
)

// maxSkew is how far a clock may be said to be off.
const maxSkew = time.Minute

var (
	entryName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	language  = regexp.MustCompile(`^(en|nb)$`)
)

// known are the algorithms that can be allowed. All are of key pairs: with none can a public
// key be taken for a shared secret.
func known() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// wrong collects faults.
type wrong struct {
	where  string
	faults []error
}

func (w *wrong) unless(right bool, format string, args ...any) {
	if !right {
		w.faults = append(w.faults, fmt.Errorf(w.where+": "+format, args...))
	}
}

// Validate returns every fault of the file joined, nil when there is none.
func (f File) Validate() error {
	all := wrong{where: "issuers"}
	all.unless(len(f.Issuers)+len(f.Certificates) > 0, "names none")
	names, issuers, asked, managers := make(map[string]bool), make(map[string]bool), 0, 0
	for i, e := range f.Issuers {
		w := &wrong{where: fmt.Sprintf("issuers[%d]", i)}
		if e.Name != "" {
			w.where = "issuers." + e.Name
		}
		w.unless(!names[e.Name], "another entry has this name")
		w.unless(!issuers[e.Issuer], "another entry has the issuer %s", e.Issuer)
		names[e.Name], issuers[e.Issuer] = true, true
		if e.Introspection != nil {
			asked++
		}
		if e.Manager != nil {
			managers++
		}
		e.validate(w)
		all.faults = append(all.faults, w.faults...)
	}
	for _, o := range f.ReturnOrigins {
		u, err := url.Parse(o)
		all.unless(err == nil && secure(o) && u.Path == "", "return_origins: %.200q must be scheme and host of an https:// URL, without a path", o)
	}
	for name, d := range map[string]Duration{"lifetime": f.Sessions.Lifetime, "idle": f.Sessions.Idle} {
		all.unless(d == 0 || d >= Duration(time.Minute), "sessions.%s must be 1m or more", name)
	}
	all.unless(asked <= 1, "opaque tokens do not say whose they are: one entry may have introspection, not %d", asked)
	all.unless(managers <= 1, "one entry may have a manager, not %d", managers)
	return errors.Join(append(all.faults, certificate.Faults(f.Certificates)...)...)
}

func (e Entry) validate(w *wrong) {
	w.unless(entryName.MatchString(e.Name), "name must be a letter and at most 31 letters, digits and hyphens, in lower case")
	// An issuer that is no URL has no discovery, so its keys must be told.
	if e.JWKS == "" && e.Manager == nil || e.Login != nil {
		w.unless(secure(e.Issuer), "issuer must be an https:// URL without query and fragment; http:// is for loopback only")
	}
	w.unless(e.Issuer != "", "issuer is missing")
	w.unless(e.JWKS == "" || secure(e.JWKS), "jwks must be an https:// URL; http:// is for loopback only")
	for _, a := range e.Algorithms {
		w.unless(slices.Contains(known(), a), "algorithms: %.20q is not one of %v", a, known())
	}
	w.unless(e.Skew == nil || time.Duration(*e.Skew) <= maxSkew, "skew must be at most %s", maxSkew)
	for _, b := range e.Believe {
		w.unless(slices.Contains(beliefs, b), "believe: %.40q is not one of %v", b, beliefs)
	}
	w.unless(len(e.Believe) > 0, "believe must name what of its tokens counts, at least one of %v", beliefs)
	w.unless(!e.Provision || slices.Contains(e.Believe, Subject), "provision needs an issuer that is believed for subject")
	for _, m := range []map[string]int{e.Levels.ACR, e.Levels.AMR} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			w.unless(m[name] >= 0 && m[name] <= 4, "levels: %.80q is %d, and a level is 0 to 4", name, m[name])
		}
	}
	if len(e.Levels.ACR)+len(e.Levels.AMR) > 0 {
		w.unless(slices.Contains(e.Believe, Levels), "levels are given, and believe does not name levels")
	}
	w.unless(e.Bearer != nil || e.Login != nil || e.Introspection != nil || e.Manager != nil, "has none of bearer, login, introspection and manager, so nothing of it is used")
	e.validateUses(w)
}

func (e Entry) validateUses(w *wrong) {
	if b := e.Bearer; b != nil {
		w.unless((len(b.Audiences) > 0) != b.AnyAudience, "bearer must have either audiences or any_audience: true")
		if e.Login != nil {
			// An id_token names the client as its audience, and must not open the API.
			w.unless(!slices.Contains(b.Audiences, e.Login.ClientID), "bearer.audiences has the client_id of login, so that id_tokens would be credentials")
		}
	}
	if e.Manager != nil {
		e.Manager.validate(e, w)
	}
	if i := e.Introspection; i != nil {
		w.unless(i.Endpoint == "" || secure(i.Endpoint), "introspection.endpoint must be an https:// URL; http:// is for loopback only")
		w.unless(i.Endpoint != "" || secure(e.Issuer), "introspection.endpoint is missing, and the issuer has no discovery")
		w.unless(i.ClientID != "" && i.ClientSecretFile != "", "introspection needs client_id and client_secret_file")
		w.unless(len(i.Audiences) > 0, "introspection.audiences is missing")
	}
	if l := e.Login; l != nil {
		w.unless(l.ClientID != "", "login.client_id is missing")
		w.unless(l.ClientSecretFile == "" || len(l.PrivateKeyFiles) == 0, "login has both client_secret_file and private_key_files")
		w.unless(l.Resource == "" || resource(l.Resource), "login.resource must be an absolute URI without a fragment")
		for _, lang := range slices.Sorted(maps.Keys(l.Title)) {
			w.unless(language.MatchString(lang), "login.title: %.20q is not en or nb", lang)
		}
		for _, acr := range l.ACR {
			_, mapped := e.Levels.ACR[acr]
			w.unless(mapped, "login.acr_values asks for %.80q, which levels.acr does not know", acr)
		}
	}
}

// secure reports whether a URL may be asked for what trust rests on.
func secure(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

// resource reports whether a text can name an API (RFC 8707, section 2).
func resource(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.IsAbs() && !strings.Contains(text, "#")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
