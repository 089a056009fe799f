package deploy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/chromium"
	"github.com/behalf-authz/behalf/server/testkit/oidc"
)

// injected is what the page says after somebody has got a script into it.
const injected = `(() => {
	const s = document.createElement("script");
	s.textContent = "document.title = 'taken'";
	document.body.append(s);
	return document.title;
})()`

// read is what assistive technology goes by: the language, the one heading, the main part.
const read = `[document.documentElement.lang, [...document.querySelectorAll("h1")].map(h => h.innerText).join("|"),
	document.querySelectorAll("main").length, document.title].join(";")`

// TestPages opens Behalf's own pages in a browser: the choice between providers, what is
// said when one does not answer or when a login is none, and the page after a logout.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, dir, "client.secret", "a-secret-that-is-long-enough-for-it")
	issuers := "issuers:\n"
	for _, name := range []string{"people", "staff"} {
		issuers += fmt.Sprintf("  - name: %s\n    issuer: http://127.0.0.1:%d\n    believe: [subject]\n    login: {client_id: behalf, client_secret_file: %s, title: {en: 'For %s'}}\n",
			name, oidc.Port(t), secret, name) // where nobody answers
	}
	w := startWorld(t, "https://127.0.0.1:1", write(t, dir, "issuers.yaml", issuers))
	b := chromium.Open(t)
	for _, page := range []struct {
		path, press string // a link that is pressed
		heading     string
		says        []string
	}{
		{"/login?return=/me", "", "Choose how to log in", []string{"For people", "For staff"}},
		{"/login?return=/me", "a.go[href*=staff]", "The login did not succeed", []string{"does not answer", "Try again", "Reference: "}},
		{"/callback/people?code=x&state=y", "", "The login did not succeed", []string{"no login that is under way", "Try again"}},
		{"/signed-out", "", "You are logged out", []string{"Close the browser", "Log in"}},
		{"/signed-out", "a.go", "Choose how to log in", []string{"For people"}},
	} {
		b.Go("http://" + w.http + page.path)
		if page.press != "" {
			b.Press(page.press)
		}
		if got, want := b.Read(read), "en;"+page.heading+";1;"+page.heading; got != want {
			t.Errorf("%s: %q, want %q", page.path, got, want)
		}
		text := b.Text()
		for _, said := range page.says {
			if !strings.Contains(text, said) {
				t.Errorf("%s does not say %q:\n%s", page.path, said, text)
			}
		}
		if got := b.Read(`getComputedStyle(document.querySelector("a.go")).display`); got == "inline" {
			t.Errorf("%s: the page has no style, its own policy keeps it out", page.path)
		}
		if got := b.Read(injected); got != page.heading {
			t.Errorf("%s: a script ran, the title is %q", page.path, got)
		}
	}
}

// foreign is whatever a page has loaded from another server.
const foreign = `performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin + "/") && !n.startsWith("data:")).join(" ")`

// TestDocs opens the page that shows the API: it is whole without any other server.
func TestDocs(t *testing.T) {
	w := startWorld(t, "https://127.0.0.1:1", "")
	b := chromium.Open(t)
	b.Go("http://" + w.http + "/docs")
	b.Await(".opblock")
	if got := b.Read(foreign); got != "" {
		t.Errorf("it has loaded %s", got)
	}
	if text := b.Text(); !strings.Contains(text, "/v1/parties") {
		t.Errorf("it does not show /v1/parties:\n%s", text)
	}
}
