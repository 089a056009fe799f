package login

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"

	"golang.org/x/text/language"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/event"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// The pages.
const (
	pageChoose    = "choose"
	pageLogout    = "logout"
	pageSignedOut = "signed-out"
	pageParty     = "party"
	pageError     = "error"
)

// choice is a provider to log in with.
type choice struct{ Title, Address string }

// view is what a page shows.
type view struct {
	Lang    string
	Page    string
	Style   template.CSS
	Text    words
	Choices []choice
	Parties partyList
	Said    string // of an error
	Again   bool   // whether to offer to begin again
	ID      string // of the request, for who asks for help
}

// pages writes pages. They load nothing and run nothing.
type pages struct {
	template *template.Template
	policy   string
}

func newPages() (*pages, error) {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("login: read the page: %w", err)
	}
	sum := sha256.Sum256([]byte(styleText))
	return &pages{t, "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; frame-ancestors 'none'"}, nil
}

func (p *pages) write(w http.ResponseWriter, r *http.Request, code int, page string, v view, said string) {
	v.Lang, v.Page, v.Style = languageOf(r), page, template.CSS(styleText) //nolint:gosec // our own file
	v.Text, v.Said, v.ID = wordsOf(v.Lang), said, event.From(r.Context()).RequestID
	var text bytes.Buffer
	if err := p.template.Execute(&text, v); err != nil {
		event.From(r.Context()).Err = err
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h, form := w.Header(), "; form-action 'none'"
	switch page {
	case pageParty:
		form = "; form-action 'self'" + v.Parties.origin()
		h.Set("Referrer-Policy", "same-origin") // without it an older browser sends no Origin
	case pageLogout:
		// A browser holds the redirect after a form to the same rule, and it leads to the provider.
		form = "; form-action 'self' https: http://localhost:* http://127.0.0.1:*"
		h.Set("Referrer-Policy", "same-origin") // without it an older browser sends no Origin
	}
	h.Set("Content-Security-Policy", p.policy+form)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Vary", "Accept-Language")
	h.Set("X-Frame-Options", "DENY")
	w.WriteHeader(code)
	_, _ = w.Write(text.Bytes()) // the client went away; there is nobody to tell
}

// fault writes the page of a call that failed.
func (p *pages) fault(w http.ResponseWriter, r *http.Request, err error) {
	event.From(r.Context()).Err = err
	code := statusOf(err)
	p.fail(w, r, code, code == http.StatusBadRequest || code == http.StatusForbidden ||
		code == http.StatusServiceUnavailable || code == http.StatusTooManyRequests)
}

func (p *pages) fail(w http.ResponseWriter, r *http.Request, code int, again bool) {
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "30")
	}
	if code == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, POST")
	}
	p.write(w, r, code, pageError, view{Again: again}, wordsOf(languageOf(r)).of(code))
}

// statusOf returns the status of a page for a call's error. A login that fails is forbidden,
// not unauthorized: the page itself asks for no credentials.
func statusOf(err error) int {
	switch status.Code(err) { //nolint:exhaustive // all others are faults of ours
	case codes.OK:
		return http.StatusOK
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.NotFound:
		return http.StatusNotFound
	case codes.PermissionDenied, codes.Unauthenticated:
		return http.StatusForbidden
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unavailable, codes.DeadlineExceeded:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// languageOf returns the language of a page: en or nb.
func languageOf(r *http.Request) string {
	matcher := language.NewMatcher([]language.Tag{language.English, language.MustParse("nb"), language.MustParse("no"), language.MustParse("nn")})
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return "en"
	}
	if _, i, _ := matcher.Match(wanted...); i > 0 {
		return "nb"
	}
	return "en"
}
