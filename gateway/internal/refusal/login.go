package refusal

import (
	"net/http"
	"net/url"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Login says where browsers log in. The zero Login is nowhere.
type Login struct {
	// Origin returns scheme and host of the login, nil when nobody can log in.
	Origin func() string
}

// maxReturn is the greatest length of an address that a login comes back to.
const maxReturn = 2048

// loginPaths are those of the login itself. Where a gateway keeps them closed, going there
// would come back here.
var loginPaths = []string{"/login", "/callback", "/logout", "/signed-out"}

// page is where a browser logs in: its scheme and host.
type page struct{ own *url.URL }

// page returns where the client that sent a request could log in, so that it counts there. One
// with credentials in a header would bring the same again.
func (l Login) page(asked *behalfv1.AuthorizeRequest) (page, bool) {
	if l.Origin == nil || len(headersOf(asked)["authorization"]) > 0 {
		return page{}, false
	}
	own, err := url.Parse(l.Origin())
	if err != nil || own.Host == "" {
		return page{}, false
	}
	path, _, _ := strings.Cut(string(asked.GetPath()), "?")
	return page{own}, reaches(own, origin(asked)) && strings.HasPrefix(path, "/") && !ofLogin(path)
}

// address returns the page's, which comes back to what was asked for, if that is given. acr
// asks for a level.
func (p page) address(asked *behalfv1.AuthorizeRequest, acr string) string {
	query := url.Values{}
	if asked != nil {
		back, to := string(asked.GetPath()), origin(asked)
		if to.Scheme != p.own.Scheme || authority(to) != authority(p.own) {
			back = to.Scheme + "://" + to.Host + back
		}
		if len(back) <= maxReturn {
			query.Set("return", back)
		}
	}
	if acr != "" {
		query.Set("acr_values", acr)
	}
	address := p.own.Scheme + "://" + p.own.Host + "/login"
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// origin returns scheme and host of a request. One that no URL can name has none.
func origin(asked *behalfv1.AuthorizeRequest) *url.URL {
	u, err := url.Parse(asked.GetScheme() + "://" + string(asked.GetHost()))
	if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return &url.URL{}
	}
	return u
}

// reaches says whether the session's cookie, which a login sets for its own host, would come
// with the next request: else the browser would go to and fro without end.
func reaches(own, to *url.URL) bool {
	return to.Host != "" && strings.EqualFold(own.Hostname(), to.Hostname()) && (own.Scheme == "http" || to.Scheme == "https")
}

// authority returns the host with its port, also where that is the scheme's.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

func ofLogin(path string) bool {
	for _, p := range loginPaths {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}

// navigates says whether a person has opened a page in a browser. A script cannot do anything
// with a page of a login, and may not even see an answer of another origin.
func navigates(asked *behalfv1.AuthorizeRequest) bool {
	if m := asked.GetMethod(); m != http.MethodGet && m != http.MethodHead {
		return false
	}
	h := headersOf(asked)
	mode, dest := h["sec-fetch-mode"], h["sec-fetch-dest"]
	if len(mode)+len(dest) > 0 {
		return len(mode) == 1 && mode[0] == "navigate" && len(dest) == 1 && dest[0] == "document"
	}
	return strings.Contains(strings.ToLower(strings.Join(h["accept"], ",")), "text/html") && len(h["x-requested-with"]) == 0
}

// headersOf returns the headers that navigates looks at, by their names in lower case.
func headersOf(asked *behalfv1.AuthorizeRequest) map[string][]string {
	all := make(map[string][]string, 4)
	for _, line := range asked.GetHeaders() {
		switch name := strings.ToLower(line.GetName()); name {
		case "authorization", "accept", "sec-fetch-mode", "sec-fetch-dest", "x-requested-with":
			all[name] = append(all[name], string(line.GetValue()))
		}
	}
	return all
}
