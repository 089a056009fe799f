package oidc

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is a browser as far as logging in needs one: it keeps cookies and sends forms.
type Browser struct {
	*http.Client
	t *testing.T
}

// NewBrowser returns one without cookies, that follows no redirect by itself.
func NewBrowser(t *testing.T) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}, t}
}

// Page is an answer.
type Page struct {
	*http.Response
	Text string
}

// Do sends a request.
func (b *Browser) Do(r *http.Request) Page {
	b.t.Helper()
	answer, err := b.Client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return Page{answer, string(text)}
}

// Get gets an address.
func (b *Browser) Get(address string) Page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.Do(r)
}

// Post sends a form, as a page of the same origin does.
func (b *Browser) Post(address string, form url.Values) Page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

var (
	formAction = regexp.MustCompile(`action="([^"]+)"`)
	xsrfField  = regexp.MustCompile(`name="xsrf" value="([^"]+)"`)
)

// LogIn follows redirects from an address through the provider's pages, as the person, until
// one leads to an address that begins with until, which it returns and does not open.
func (b *Browser) LogIn(address, person, until string) string {
	b.t.Helper()
	for range 20 {
		page := b.Get(address)
		for form := (url.Values{"prompt": {"login"}, "login": {person}, "password": {"x"}}); page.StatusCode == http.StatusOK; form = nil {
			action := formAction.FindStringSubmatch(page.Text)
			if action == nil {
				b.t.Fatalf("%s has no form:\n%s", address, page.Text)
			}
			if strings.Contains(page.Text, `value="consent"`) {
				form = url.Values{"prompt": {"consent"}}
			}
			if form == nil {
				b.t.Fatalf("the provider asks again:\n%s", page.Text)
			}
			to, err := page.Request.URL.Parse(action[1])
			if err != nil {
				b.t.Fatal(err)
			}
			page = b.Post(to.String(), form)
		}
		to, err := page.Location()
		if err != nil {
			b.t.Fatalf("%s: status %d: %v\n%s", address, page.StatusCode, err, page.Text)
		}
		if address = to.String(); strings.HasPrefix(address, until) {
			return address
		}
	}
	b.t.Fatal("the provider redirects for ever")
	return ""
}

// LogOut follows an address of the provider's logout, says yes, and returns where it leads.
func (b *Browser) LogOut(address string) string {
	b.t.Helper()
	page := b.Get(address)
	action, xsrf := formAction.FindStringSubmatch(page.Text), xsrfField.FindStringSubmatch(page.Text)
	if action == nil || xsrf == nil {
		b.t.Fatalf("no logout form, status %d:\n%s", page.StatusCode, page.Text)
	}
	page = b.Post(action[1], url.Values{"xsrf": {xsrf[1]}, "logout": {"yes"}})
	to, err := page.Location()
	if err != nil {
		b.t.Fatalf("status %d: %v\n%s", page.StatusCode, err, page.Text)
	}
	return to.String()
}
