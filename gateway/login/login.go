package login

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/internal/trust"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Config is what the paths need.
type Config struct {
	// Conn reaches SessionService.
	Conn grpc.ClientConnInterface
	// Identity is the authorization of the gateway's own calls.
	Identity string
	// Origin returns scheme and host by which browsers know the server.
	Origin func() string
	// Cookie is the name of the session's cookie. A name with __Host- is Secure.
	Cookie string
	// Peers are the networks of proxies that are believed about their clients' addresses, by
	// which logins are counted.
	Peers []netip.Prefix
	// Certificates are names, in verified certificates, of proxies that are believed too.
	Certificates []string
}

// Doors are the paths. They are safe for concurrent use.
type Doors struct {
	sessions behalfv1.SessionServiceClient
	callers  behalfv1.CallerServiceClient
	identity string
	origin   func() string
	cookie   string
	secure   bool
	proxies  *trust.Gateways
	pages    *pages
}

// New returns the paths.
func New(c Config) (*Doors, error) {
	if c.Conn == nil || c.Identity == "" || c.Origin == nil || c.Cookie == "" {
		return nil, errors.New("login: a field of the configuration is missing")
	}
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	return &Doors{
		sessions: behalfv1.NewSessionServiceClient(c.Conn), callers: behalfv1.NewCallerServiceClient(c.Conn), identity: c.Identity, origin: c.Origin, cookie: c.Cookie,
		secure: strings.HasPrefix(c.Cookie, "__Host-"), pages: p,
		proxies: trust.New(c.Conn, trust.Config{Networks: c.Peers, Certificates: c.Certificates}),
	}, nil
}

// The paths, and the beginnings of those that name a provider.
const (
	pathLogin       = "/login"
	pathCallback    = "/callback"
	pathLogout      = "/logout"
	pathSignedOut   = "/signed-out"
	pathUserInfo    = "/userinfo"
	pathBackChannel = "/logout/backchannel"
	pathParty       = "/session/party"
	pathParties     = "/session/parties"
)

// match returns the route of a path, and the provider that it names.
func match(path string) (route, provider string, ok bool) {
	switch path {
	case pathLogin, pathLogout, pathSignedOut, pathUserInfo, pathParty, pathParties:
		return path, "", true
	}
	for _, route := range []string{pathLogin, pathCallback, pathBackChannel} {
		if name, found := strings.CutPrefix(path, route+"/"); found && name != "" && !strings.Contains(name, "/") {
			return route + "/{provider}", name, true
		}
	}
	return "", "", false
}

// Serves reports whether the path is one of these.
func Serves(path string) bool {
	_, _, ok := match(path)
	return ok
}

// ServeHTTP answers.
func (d *Doors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, provider, _ := match(r.URL.Path)
	event.From(r.Context()).Route = route
	r = d.behindProxy(r)
	if route == pathUserInfo {
		d.userInfo(w, r)
		return
	}
	md, _ := metadata.FromOutgoingContext(r.Context())
	md = md.Copy()
	// What a browser brings says nothing about who calls: the gateway does.
	md.Set("authorization", d.identity)
	r = r.WithContext(metadata.NewOutgoingContext(r.Context(), md))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	get := r.Method == http.MethodGet
	switch {
	case route == pathLogin && get:
		d.choose(w, r)
	case route == pathLogin+"/{provider}" && get:
		d.begin(w, r, provider)
	case route == pathCallback+"/{provider}" && get:
		d.finish(w, r, provider)
	case route == pathLogout && get:
		d.pages.write(w, r, http.StatusOK, pageLogout, view{}, "")
	case route == pathLogout && r.Method == http.MethodPost:
		d.logout(w, r)
	case route == pathBackChannel+"/{provider}" && r.Method == http.MethodPost:
		d.backChannel(w, r, provider)
	case route == pathParty && get:
		d.showParties(w, r, http.StatusOK, "")
	case route == pathParty && r.Method == http.MethodPost:
		d.chooseParty(w, r)
	case route == pathParties && get:
		d.listParties(w, r)
	case route == pathSignedOut && get:
		d.pages.write(w, r, http.StatusOK, pageSignedOut, view{}, "")
	default:
		d.pages.fail(w, r, http.StatusMethodNotAllowed, false)
	}
}

// choose shows the providers, or goes on to the only one.
func (d *Doors) choose(w http.ResponseWriter, r *http.Request) {
	answer, err := d.sessions.ListLoginProviders(r.Context(), &behalfv1.ListLoginProvidersRequest{})
	if err != nil {
		d.pages.fault(w, r, err)
		return
	}
	to := url.Values{}
	for _, name := range []string{"return", "acr_values"} {
		if v := query(r, name); v != "" {
			to.Set(name, v)
		}
	}
	if len(answer.GetProviders()) == 1 {
		http.Redirect(w, r, d.beginning(answer.GetProviders()[0].GetName(), to), http.StatusSeeOther)
		return
	}
	var v view
	lang := languageOf(r)
	for _, p := range answer.GetProviders() {
		title := p.GetTitles()[lang]
		if title == "" {
			title = p.GetName()
		}
		v.Choices = append(v.Choices, choice{title, d.beginning(p.GetName(), to)})
	}
	d.pages.write(w, r, http.StatusOK, pageChoose, v, "")
}

func (d *Doors) beginning(provider string, with url.Values) string {
	address := pathLogin + "/" + url.PathEscape(provider)
	if len(with) > 0 {
		address += "?" + with.Encode()
	}
	return address
}

// begin sends the browser to the provider.
func (d *Doors) begin(w http.ResponseWriter, r *http.Request, provider string) {
	begun, err := d.sessions.BeginLogin(r.Context(), &behalfv1.BeginLoginRequest{
		Provider: provider, ReturnTo: query(r, "return"), Locale: languageOf(r), AcrValues: strings.Fields(query(r, "acr_values")),
	})
	if err != nil {
		d.pages.fault(w, r, err)
		return
	}
	d.setCookie(w, d.attemptCookie(begun.GetState()), begun.GetAttempt(), 10*time.Minute)
	http.Redirect(w, r, begun.GetLocation(), http.StatusSeeOther)
}

// finish takes the browser back.
func (d *Doors) finish(w http.ResponseWriter, r *http.Request, provider string) {
	state := query(r, "state")
	attempt := d.attemptCookie(state)
	in, err := d.sessions.FinishLogin(r.Context(), &behalfv1.FinishLoginRequest{
		Provider: provider, State: state, Code: query(r, "code"), Issuer: query(r, "iss"), Error: query(r, "error"),
		Attempt: cookie(r, attempt), Session: cookie(r, d.cookie),
	})
	d.setCookie(w, attempt, "", -1)
	if err != nil {
		d.pages.fault(w, r, err)
		return
	}
	d.setCookie(w, d.cookie, in.GetSession(), time.Until(in.GetExpiresAt().AsTime()))
	http.Redirect(w, r, in.GetReturnTo(), http.StatusSeeOther)
}

// logout ends the session of a browser whose user has asked for it on a page of ours.
func (d *Doors) logout(w http.ResponseWriter, r *http.Request) {
	if !d.ours(r) {
		d.pages.fail(w, r, http.StatusForbidden, false)
		return
	}
	answer, err := d.sessions.EndSession(r.Context(), &behalfv1.EndSessionRequest{Session: cookie(r, d.cookie)})
	if err != nil {
		d.pages.fault(w, r, err)
		return
	}
	d.setCookie(w, d.cookie, "", -1)
	to := answer.GetLocation()
	if to == "" {
		to = pathSignedOut
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// ours reports whether a form was sent by a page of this origin. A browser says so in
// Sec-Fetch-Site, an older one in Origin; who says neither is no browser that we know.
func (d *Doors) ours(r *http.Request) bool {
	if site := r.Header.Values("Sec-Fetch-Site"); len(site) > 0 {
		return len(site) == 1 && site[0] == "same-origin"
	}
	origin := r.Header.Values("Origin")
	return len(origin) == 1 && origin[0] == d.origin()
}

// backChannel ends the sessions that a provider has ended. Its answers are those of OIDC
// Back-Channel Logout, section 2.8.
func (d *Doors) backChannel(w http.ResponseWriter, r *http.Request, provider string) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	token := ""
	if r.ParseForm() == nil && len(r.PostForm["logout_token"]) == 1 {
		token = r.PostForm["logout_token"][0]
	}
	if token == "" || !utf8.ValidString(token) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, err := d.sessions.EndProviderSessions(r.Context(), &behalfv1.EndProviderSessionsRequest{Provider: provider, LogoutToken: token})
	switch status := statusOf(err); {
	case err == nil:
		w.WriteHeader(http.StatusOK)
	case status < http.StatusInternalServerError:
		event.From(r.Context()).Err = err
		w.WriteHeader(http.StatusBadRequest)
	default:
		event.From(r.Context()).Err = err
		w.WriteHeader(status)
	}
}

// attemptCookie is the name of the cookie of a login, so that each tab has its own.
func (d *Doors) attemptCookie(state string) string {
	name := "login-"
	if d.secure {
		name = "__Host-login-"
	}
	for _, c := range state[:min(len(state), 16)] {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			name += string(c)
		}
	}
	return name
}

// setCookie sets a cookie, or with a negative age takes it away.
func (d *Doors) setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	seconds := int(age / time.Second)
	if age < 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure but on plaintext, which is for this machine only
		Name: name, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteLaxMode,
	})
}

// cookie returns the value of a cookie that is there once.
func cookie(r *http.Request, name string) string {
	if found := r.CookiesNamed(name); len(found) == 1 {
		return found[0].Value
	}
	return ""
}

// query returns a parameter that is there once and is text.
func query(r *http.Request, name string) string {
	values := r.URL.Query()[name]
	if len(values) != 1 || !utf8.ValidString(values[0]) {
		return ""
	}
	return values[0]
}
