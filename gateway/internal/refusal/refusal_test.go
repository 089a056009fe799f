package refusal_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/behalf-authz/behalf/gateway/internal/refusal"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// asked returns a request from a line such as GET https://a.example/x and lines of headers.
func asked(line string, headers ...string) *behalfv1.AuthorizeRequest {
	method, rest, _ := strings.Cut(line, " ")
	scheme, rest, _ := strings.Cut(rest, "://")
	at := strings.IndexByte(rest+"/", '/')
	r := &behalfv1.AuthorizeRequest{Method: method, Scheme: scheme, Host: []byte(rest[:at]), Path: []byte(rest[at:])}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Headers = append(r.Headers, &behalfv1.RequestHeader{Name: name, Value: []byte(value)})
	}
	return r
}

func login(origin string) refusal.Login {
	return refusal.Login{Origin: func() string { return origin }}
}

const (
	mode = "Sec-Fetch-Mode: navigate"
	dest = "Sec-Fetch-Dest: document"
	html = "Accept: text/html,*/*;q=0.8"
)

// TestBrowserOrAPI says who is sent to the login, and who is told 401.
func TestBrowserOrAPI(t *testing.T) {
	anonymous := &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_UNAUTHENTICATED, Reason: "CREDENTIALS_MISSING"}
	const own, page = "https://a.example", "GET https://a.example/x"
	const there = "https://a.example/login?return=%2Fx"
	for _, row := range []struct {
		name, own string
		asked     *behalfv1.AuthorizeRequest
		want      string
	}{
		{"browser", own, asked(page, mode, dest), there},
		{"browser's HEAD", own, asked("HEAD https://a.example/x", mode, dest), there},
		{"older browser", own, asked(page, html), there},
		{"names in lower case", own, asked(page, "sec-fetch-mode: navigate", "sec-fetch-dest: document"), there},
		{"host in upper case", own, asked("GET https://A.Example/x", mode, dest), there},
		{"the scheme's port", own, asked("GET https://a.example:443/x", mode, dest), there},
		{"a query", own, asked("GET https://a.example/x?a=b&c=%26", mode, dest), "https://a.example/login?return=%2Fx%3Fa%3Db%26c%3D%2526"},
		{"front page", own, asked("GET https://a.example/", mode, dest), "https://a.example/login?return=%2F"},
		{"a long address", own, asked("GET https://a.example/"+strings.Repeat("x", 2048), mode, dest), "https://a.example/login"},
		{"another port of the host", own, asked("GET https://a.example:8443/x", mode, dest), "https://a.example/login?return=https%3A%2F%2Fa.example%3A8443%2Fx"},
		{"a machine of one's own", "http://127.0.0.1:7480", asked("GET http://127.0.0.1:8080/x", html), "http://127.0.0.1:7480/login?return=http%3A%2F%2F127.0.0.1%3A8080%2Fx"},
		{"POST", own, asked("POST https://a.example/x", mode, dest), ""},
		{"script", own, asked(page, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty", html), ""},
		{"frame", own, asked(page, mode, "Sec-Fetch-Dest: iframe", html), ""},
		{"image", own, asked(page, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"), ""},
		{"half of it", own, asked(page, mode, html), ""},
		{"twice", own, asked(page, mode, mode, dest, html), ""},
		{"program", own, asked(page, "Accept: application/json"), ""},
		{"program that says nothing", own, asked(page), ""},
		{"older script", own, asked(page, html, "X-Requested-With: XMLHttpRequest"), ""},
		{"with a token", own, asked(page, mode, dest, "authorization: Bearer x"), ""},
		{"older with a token", own, asked(page, html, "Authorization: Bearer x"), ""},
		{"another host", own, asked("GET https://b.example/x", mode, dest), ""},                   // the cookie would not go there
		{"host of hosts", own, asked("GET https://c.a.example/x", mode, dest), ""},                //
		{"without TLS", own, asked("GET http://a.example/x", mode, dest), ""},                     // nor a Secure one
		{"user in the host", own, asked("GET https://a.example@b.example/x", mode, dest), ""},     //
		{"two hosts", own, asked("GET https://b.example#a.example/x", mode, dest), ""},            //
		{"the login itself", own, asked("GET https://a.example/login?return=/x", mode, dest), ""}, // which the gateway keeps closed
		{"the callback", own, asked("GET https://a.example/callback/idp?code=x", mode, dest), ""},
		{"no login", "", asked(page, mode, dest), ""},
	} {
		got := refusal.Of(anonymous, row.asked, login(row.own))
		status := http.StatusUnauthorized
		if row.want != "" {
			status = http.StatusFound
		}
		hint := ""
		switch row.name {
		case "POST", "script", "frame", "image", "half of it", "twice", "program", "program that says nothing", "older script":
			hint = own + "/login" // where the page could go that the script is of
		}
		if got.Hint != hint {
			t.Errorf("%s: the hint %q", row.name, got.Hint)
		}
		if got.Location != row.want || got.Status != status || got.Challenge != `Bearer realm="behalf"` {
			t.Errorf("%s: %+v, want %q", row.name, got, row.want)
		}
	}
	if got := refusal.Of(anonymous, asked(page, mode, dest), refusal.Login{}); got.Status != 401 || got.Location != "" {
		t.Errorf("nobody can log in: %+v", got)
	}
}

// TestOf says what becomes of verdicts.
func TestOf(t *testing.T) {
	browser := asked("GET https://a.example/x", mode, dest)
	for _, row := range []struct {
		answer                     *behalfv1.AuthorizeResponse
		status                     int
		reason, challenge, address string
	}{
		{&behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_DENIED, Reason: "R"}, 403, "R", "", ""},
		{&behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_MALFORMED, Reason: "R"}, 400, "R", "", ""},
		{&behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_UNAUTHENTICATED, Reason: "CREDENTIALS_INVALID"}, 302, "CREDENTIALS_INVALID", `error="invalid_token"`, "/login?return=%2Fx"},
		{
			&behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_STEP_UP, Reason: "LEVEL_TOO_LOW", RequiredLevel: 4}, 302, "LEVEL_TOO_LOW",
			`error="insufficient_user_authentication", acr_values="urn:altinn:authlevel:4"`, "/login?acr_values=urn%3Aaltinn%3Aauthlevel%3A4&return=%2Fx",
		},
		{&behalfv1.AuthorizeResponse{}, 403, refusal.ReasonNoVerdict, "", ""},
		{nil, 403, refusal.ReasonNoVerdict, "", ""},
		{&behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}, 403, refusal.ReasonNoVerdict, "", ""},
		{&behalfv1.AuthorizeResponse{Verdict: 99}, 403, refusal.ReasonNoVerdict, "", ""},
	} {
		got := refusal.Of(row.answer, browser, login("https://a.example"))
		address := strings.TrimPrefix(got.Location, "https://a.example")
		if got.Status != row.status || got.Reason != row.reason || !strings.Contains(got.Challenge, row.challenge) || (row.challenge == "") != (got.Challenge == "") || address != row.address {
			t.Errorf("%v: %+v", row.answer, got)
		}
	}
	for err, want := range map[error]int{
		errors.New("disk"): 503, status.Error(codes.Unauthenticated, ""): 503, status.Error(codes.Unavailable, ""): 503, status.Error(codes.InvalidArgument, ""): 400,
	} {
		if got := refusal.Failed(err); got.Status != want || got.Location != "" || strings.Contains(got.Message, "disk") {
			t.Errorf("%v: %+v", err, got)
		}
	}
}

// TestLimited tells by which limit a request is kept out, and when to come again.
func TestLimited(t *testing.T) {
	for _, row := range []struct {
		details []protoadapt.MessageV1
		status  int
		reason  string
		retry   string
	}{
		{[]protoadapt.MessageV1{info("behalf", "RATE_LIMITED"), retry(1500 * time.Millisecond)}, 429, "RATE_LIMITED", "2"},
		{[]protoadapt.MessageV1{info("behalf", "TOO_MANY_CALLS"), retry(100 * time.Millisecond)}, 429, "TOO_MANY_CALLS", "1"},
		{[]protoadapt.MessageV1{info("elsewhere", "SECRET"), retry(time.Second)}, 429, "RESOURCE_EXHAUSTED", "1"},
		{[]protoadapt.MessageV1{info("behalf", "UNAVAILABLE")}, 503, refusal.ReasonUnavailable, "1"}, // a full disk
	} {
		st, err := status.New(codes.ResourceExhausted, "disk").WithDetails(row.details...)
		if err != nil {
			t.Fatal(err)
		}
		got := refusal.Failed(st.Err())
		if got.Status != row.status || got.Reason != row.reason || got.Retry != row.retry || strings.Contains(got.Message, "disk") {
			t.Errorf("%v: %+v", row.details, got)
		}
	}
}

func info(domain, reason string) protoadapt.MessageV1 {
	return &errdetails.ErrorInfo{Domain: domain, Reason: reason}
}

func retry(after time.Duration) protoadapt.MessageV1 {
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(after)}
}

// FuzzAddress has nothing that a client sends lead a browser elsewhere than to the login, nor
// the login back to elsewhere than the host.
func FuzzAddress(f *testing.F) {
	f.Add("https", "a.example", "/x?y=z")
	f.Add("https", "a.example:8443", "//evil.example/x")
	f.Add("https", "a.example@evil.example", "/")
	f.Add("https", "a.example", `/\evil.example`)
	f.Add("http", "[::1]:80", "/%0d%0aLocation:%20x")
	f.Fuzz(func(t *testing.T, scheme, host, path string) {
		request := asked("GET https://a.example/", mode, dest)
		request.Scheme, request.Host, request.Path = scheme, []byte(host), []byte(path)
		got := refusal.Of(&behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_UNAUTHENTICATED}, request, login("https://a.example")).Location
		if got == "" {
			return
		}
		to, err := url.Parse(got)
		if err != nil || to.Scheme != "https" || to.Host != "a.example" || to.Path != "/login" || strings.ContainsAny(got, "\r\n \t") {
			t.Fatalf("%q %q %q leads to %q", scheme, host, path, got)
		}
		back := to.Query().Get("return")
		if back == path || back == "" {
			return // whether it is a safe one is the login's to say, as it would of a link
		}
		if from, err := url.Parse(strings.TrimSuffix(back, path)); err != nil || !strings.EqualFold(from.Hostname(), "a.example") || from.User != nil {
			t.Fatalf("%q %q %q comes back to %q", scheme, host, path, back)
		}
	})
}
