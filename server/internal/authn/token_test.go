package authn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

func TestHostileTokens(t *testing.T) {
	l := newLocal(t)
	const payload = `{"iss":"https://behalf.local","exp":4000000000,"urn:altinn:userid":1}`
	if _, err := l.who.Authenticate(t.Context(), l.forge(t, l.header("ES256"), payload)); err != nil {
		t.Fatalf("the forge does not work: %v", err)
	}
	public := must(t)(x509.MarshalPKIXPublicKey(l.key.Public()))
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := string(l.forge(t, l.header("ES256"), payload))
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString

	for name, s := range map[string]authn.Secret{
		"alg none, no signature": authn.Secret(encode([]byte(l.header("none"))) + "." + parts[1] + "."),
		"alg none, signature":    l.forge(t, l.header("none"), payload),
		"alg None":               l.forge(t, l.header("None"), payload),
		"alg empty":              l.forge(t, l.header(""), payload),
		"alg missing":            l.forge(t, `{"kid":"`+l.kid+`"}`, payload),
		"alg es256":              l.forge(t, l.header("es256"), payload),
		"alg ES384":              l.forge(t, l.header("ES384"), payload),
		"HS256, public key":      signWith(t, jose.HS256, public, l.kid, payload),
		"HS256, public PEM":      signWith(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), l.kid, payload),
		"another key, our kid":   signWith(t, jose.ES256, stranger, l.kid, payload),
		"another key, own kid":   signWith(t, jose.ES256, stranger, "stranger", payload),
		"kid unknown":            l.forge(t, `{"alg":"ES256","kid":"x"}`, payload),
		"kid empty":              l.forge(t, `{"alg":"ES256","kid":""}`, payload),
		"kid missing":            l.forge(t, `{"alg":"ES256"}`, payload),
		"kid of another case":    l.forge(t, `{"alg":"ES256","kid":"`+strings.ToUpper(l.kid)+`"}`, payload),
		"key embedded":           embedded(t, stranger, payload),
		"crit unknown":           l.forge(t, `{"alg":"ES256","kid":"`+l.kid+`","crit":["exp"],"exp":1}`, payload),
		"payload exchanged":      authn.Secret(parts[0] + "." + encode([]byte(`{"iss":"https://behalf.local","exp":4000000000,"urn:altinn:userid":2}`)) + "." + parts[2]),
		"signature cut":          authn.Secret(good[:len(good)-4]),
		"signature empty":        authn.Secret(parts[0] + "." + parts[1] + "."),
		"signature zero":         authn.Secret(parts[0] + "." + parts[1] + "." + encode(make([]byte, 64))),
		"two parts":              authn.Secret(parts[0] + "." + parts[1]),
		"four parts":             authn.Secret(good + "." + parts[2]),
		"JSON serialization":     authn.Secret(`{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`),
		"garbage":                "garbage",
		"garbage in three parts": "a.b.c",
		"bytes":                  "\x00\xff.\x00.\x00",
		"iss of another":         l.forge(t, l.header("ES256"), `{"iss":"https://evil.example","exp":4000000000,"urn:altinn:userid":1}`),
		"iss missing":            l.forge(t, l.header("ES256"), `{"exp":4000000000,"urn:altinn:userid":1}`),
		"iss twice":              l.forge(t, l.header("ES256"), `{"iss":"x","iss":"https://behalf.local","exp":4000000000,"urn:altinn:userid":1}`),
		"exp missing":            l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","urn:altinn:userid":1}`),
		"exp null":               l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","exp":null,"urn:altinn:userid":1}`),
		"exp a string":           l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","exp":"4000000000","urn:altinn:userid":1}`),
		"exp in milliseconds":    l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","exp":4000000000000,"urn:altinn:userid":1}`),
		"exp huge":               l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","exp":1e300,"urn:altinn:userid":1}`),
		"exp negative":           l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","exp":-1,"urn:altinn:userid":1}`),
		"exp in capitals":        l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","EXP":4000000000,"urn:altinn:userid":1}`),
		"userid twice":           l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","exp":4000000000,"urn:altinn:userid":1,"urn:altinn:userid":2}`),
		"claims a list":          l.forge(t, l.header("ES256"), `[]`),
		"claims not JSON":        l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local"`),
		"over 16 KiB":            l.sign(t, map[string]any{"urn:altinn:userid": 1, "pad": strings.Repeat("x", 16<<10)}),
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, l.who, s) })
	}
	if n := authn.Remembered(l.who); n != 1 {
		t.Errorf("%d tokens are remembered, want the good one", n)
	}
}

func TestTimesWithoutSkew(t *testing.T) {
	l := newLocal(t)
	for name, tc := range map[string]struct {
		claim string
		value func(now time.Time) any
		valid bool
	}{
		"expires in 1 s":   {"exp", func(now time.Time) any { return now.Unix() + 1 }, true},
		"expires in half":  {"exp", func(now time.Time) any { return float64(now.Unix()) + 0.5 }, true},
		"expires now":      {"exp", func(now time.Time) any { return now.Unix() }, false},
		"expired 1 s ago":  {"exp", func(now time.Time) any { return now.Unix() - 1 }, false},
		"valid from now":   {"nbf", func(now time.Time) any { return now.Unix() }, true},
		"valid in 1 s":     {"nbf", func(now time.Time) any { return now.Unix() + 1 }, false},
		"nbf null":         {"nbf", func(time.Time) any { return nil }, true},
		"nbf not a number": {"nbf", func(time.Time) any { return true }, false},
		"issued now":       {"iat", func(now time.Time) any { return now.Unix() }, true},
		"issued last year": {"iat", func(now time.Time) any { return now.AddDate(-1, 0, 0).Unix() }, true},
		"issued in 1 s":    {"iat", func(now time.Time) any { return now.Unix() + 1 }, false},
		"iat not a number": {"iat", func(time.Time) any { return "x" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := l.sign(t, map[string]any{"urn:altinn:userid": 1, tc.claim: tc.value(time.Now())})
				if !tc.valid {
					wantRefused(t, l.who, s)
				} else if _, err := l.who.Authenticate(t.Context(), s); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestCallersOfTokens(t *testing.T) {
	l := newLocal(t)
	user := func(id, party int64, level int) caller.Caller {
		return caller.Caller{Kind: caller.User, UserID: id, PartyID: party, Level: level}
	}
	service := func(name string, scopes ...caller.Scope) caller.Caller {
		return caller.Caller{Kind: caller.Service, Name: name, Scopes: scopes}
	}
	granted := func(c caller.Caller, others ...string) caller.Caller {
		c.Granted = others
		return c
	}
	for name, tc := range map[string]struct {
		claims string // of a JSON object, without braces
		want   caller.Caller
	}{
		"numbers":              {`"urn:altinn:userid":20001337,"urn:altinn:partyid":50002598,"urn:altinn:authlevel":3`, user(20001337, 50002598, 3)},
		"strings":              {`"urn:altinn:userid":"20001337","urn:altinn:partyid":"50002598","urn:altinn:authlevel":"4"`, user(20001337, 50002598, 4)},
		"user only":            {`"urn:altinn:userid":1`, user(1, 0, 0)},
		"greatest user":        {`"urn:altinn:userid":9223372036854775807`, user(9223372036854775807, 0, 0)},
		"a user has no scopes": {`"urn:altinn:userid":1,"scope":"behalf:admin"`, user(1, 0, 0)},
		"scopes":               {`"sub":"s","scope":"openid behalf:check  altinn:x behalf:parties.read"`, granted(service("s", caller.PartiesRead, caller.Check), "openid", "altinn:x")},
		"list of scopes":       {`"client_id":"c","sub":"s","scope":["behalf:check","x"]`, granted(service("c", caller.Check), "x")},
		"Altinn's scope":       {`"sub":"s","urn:altinn:scope":"behalf:admin"`, service("s", caller.Admin)},
		"scope before Altinn's": {`"sub":"s","scope":"behalf:check","urn:altinn:scope":"behalf:admin"`,
			service("s", caller.Check)},
		"unknown scopes":         {`"sub":"s","scope":"behalf:everything BEHALF:ADMIN behalf:check,behalf:admin"`, granted(service("s"), "behalf:everything", "BEHALF:ADMIN", "behalf:check,behalf:admin")},
		"an app of the platform": {`"urn:altinn:app":"studio.designer"`, caller.Caller{Kind: caller.Service, Name: "studio.designer", App: "studio.designer"}},
		"a service owner":        {`"urn:altinn:org":"skd","sub":"s"`, caller.Caller{Kind: caller.Service, Name: "s", Org: "skd"}},
		"an app a list":          {`"urn:altinn:app":["studio.designer"]`, caller.Caller{}},
		"neither":                {`"sub":"s"`, service("s")},
		"no name":                {`"scope":""`, service("token")},
		"user 0":                 {`"urn:altinn:userid":0,"scope":"behalf:admin"`, caller.Caller{}},
		"user negative":          {`"urn:altinn:userid":-1`, caller.Caller{}},
		"user empty":             {`"urn:altinn:userid":""`, caller.Caller{}},
		"user null":              {`"urn:altinn:userid":null,"scope":"behalf:admin"`, caller.Caller{}},
		"user a fraction":        {`"urn:altinn:userid":1.5`, caller.Caller{}},
		"user with exponent":     {`"urn:altinn:userid":1e3`, caller.Caller{}},
		"user zero-padded":       {`"urn:altinn:userid":"007"`, caller.Caller{}},
		"user with spaces":       {`"urn:altinn:userid":" 1"`, caller.Caller{}},
		"user a list":            {`"urn:altinn:userid":[1]`, caller.Caller{}},
		"user too great":         {`"urn:altinn:userid":9223372036854775808`, caller.Caller{}},
		"user in other digits":   {`"urn:altinn:userid":"１"`, caller.Caller{}},
		"level 5":                {`"urn:altinn:userid":1,"urn:altinn:authlevel":5`, caller.Caller{}},
		"level a word":           {`"urn:altinn:userid":1,"urn:altinn:authlevel":"high"`, caller.Caller{}},
		"party a word":           {`"urn:altinn:userid":1,"urn:altinn:partyid":"x"`, caller.Caller{}},
		"scope a number":         {`"scope":1`, caller.Caller{}},
		"scope null":             {`"scope":null`, caller.Caller{}},
		"scope mixed":            {`"scope":["behalf:admin",1]`, caller.Caller{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := l.forge(t, l.header("ES256"), `{"iss":"https://behalf.local","exp":4000000000,`+tc.claims+`}`)
			if tc.want.Kind == caller.Nobody {
				wantRefused(t, l.who, s)
				return
			}
			for range 2 { // anew, and from memory
				got, err := l.who.Authenticate(t.Context(), s)
				if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
					t.Errorf("%v, (-want +got):\n%s", err, diff)
				}
			}
		})
	}
}

func TestClaimsOfUsersComeBack(t *testing.T) {
	l := newLocal(t)
	s := l.sign(t, authn.UserClaims(authn.TokenUser{
		UserID: 20001337, PartyID: 50002598, PartyUUID: "ee007db6-0000-4000-8000-000000000000", Name: "kasper", Level: 3, Method: "BankID",
	}))
	got, err := l.who.Authenticate(t.Context(), s)
	want := caller.Caller{Kind: caller.User, UserID: 20001337, PartyID: 50002598, Level: 3}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
}
