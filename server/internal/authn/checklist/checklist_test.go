package checklist_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/hostile"
)

// rows are the checklist. What is not supported is told in schema/ISSUERS.md.
var rows = []struct {
	row  int
	rfc  string
	name string
	test func(*stand)
}{
	{1, "RFC 9700 2.1", "code flow only", codeOnly},
	{2, "RFC 7636, 9700", "PKCE S256 always", pkce},
	{3, "RFC 6749 10.12", "state bound to the browser", state},
	{4, "OIDC Core 3.1.3.7", "nonce", nonce},
	{5, "RFC 9207", "iss in the callback", issInCallback},
	{6, "RFC 9700 4.4", "a redirect URI for each provider", redirectURIs},
	{7, "OIDC Discovery 4.3", "discovery", discovery},
	{8, "RFC 8725 3.1", "algorithms", algorithms},
	{9, "OIDC Core 10.1.1", "keys: rotation, flood, outage", keySets},
	{10, "RFC 8725 3.10", "JOSE headers", joseHeaders},
	{11, "RFC 9068, 8725 3.11", "typ", types},
	{12, "OIDC Core 3.1.3.7", "iss, aud and azp", audiences},
	{13, "RFC 7519", "exp, iat, nbf", times},
	{14, "OIDC Core 3.1.2.1", "auth_time and max_age", authTime},
	{15, "RFC 8176, 9470", "acr and amr as levels", levels},
	{16, "OIDC Core 5.3.2", "user info of the same sub", userInfo},
	{17, "RFC 9700 4.5", "code injection and replay", codeInjection},
	{18, "ASVS V3", "session fixation", fixation},
	{19, "RFC 6265bis", "cookies", cookies},
	{20, "ASVS V4", "forgery across sites", crossSite},
	{21, "RFC 9700 4.11", "return after the login", returns},
	{22, "RFC 9700 4.14", "rotation of refresh tokens", refresh},
	{23, "OIDC RP-Logout", "logout at the provider too", rpLogout},
	{24, "OIDC BC-Logout 2.6", "back-channel logout", backChannel},
	{25, "OIDC FC-Logout", "front-channel logout", nil},
	{26, "RFC 7009", "revocation at logout", revocation},
	{27, "RFC 7662", "introspection", introspection},
	{28, "RFC 8693", "token exchange", nil},
	{29, "RFC 9449", "DPoP not; bound tokens refused", bound("jkt")},
	{30, "RFC 8705", "mTLS not; bound tokens refused", bound("x5t#S256")},
	{31, "RFC 9126", "pushed requests; JAR and RAR not", pushed},
	{32, "RFC 7523", "private_key_jwt", clientKeys},
	{33, "RFC 8707", "resource indicators", resources},
	{34, "RFC 8725 3.8", "many issuers", issuers},
	{35, "-", "claims of groups", groups},
	{36, "-", "HTTP client", httpClient},
	{37, "RFC 9700 4.2", "pages", pages},
	{38, "-", "nothing secret in the log", logged},
	{39, "-", "clock", clock},
}

// TestChecklist walks the rows and prints what became of each. None may be left out.
func TestChecklist(t *testing.T) {
	place := newPlace(t)
	table := []string{fmt.Sprintf("%3s  %-20s %-34s %6s  %s", "row", "RFC", "", "tries", "result")}
	for i, r := range rows {
		if r.row != i+1 {
			t.Errorf("row %d is at place %d", r.row, i+1)
		}
		result, tried, ran := "not supported", 0, false
		if r.test != nil {
			passed := t.Run(fmt.Sprintf("%d %s", r.row, r.name), func(t *testing.T) {
				ran = true
				s := newStand(t, place)
				defer func() {
					tried = s.tried
					for _, asked := range s.idp.Asked(hostile.Token) {
						s.hide(asked.Get("code"), asked.Get("code_verifier"), asked.Get("refresh_token"))
					}
				}()
				r.test(s)
				if s.tried == 0 {
					t.Error("nothing was tried")
				}
			})
			switch {
			case !ran:
				result = "not run"
			case passed:
				result = "holds"
			default:
				result = "FAILS"
			}
		}
		table = append(table, fmt.Sprintf("%3d  %-20s %-34s %6d  %s", r.row, r.rfc, r.name, tried, result))
	}
	t.Log("\n" + strings.Join(table, "\n"))
}
