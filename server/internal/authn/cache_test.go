package authn_test

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn"
)

func TestARememberedTokenExpires(t *testing.T) {
	l := newLocal(t)
	synctest.Test(t, func(t *testing.T) {
		s := l.sign(t, map[string]any{"urn:altinn:userid": 1, "exp": time.Now().Add(10 * time.Second).Unix()})
		for range 10 {
			if _, err := l.who.Authenticate(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		wantRefused(t, l.who, s)
	})
}

func TestARememberedTokenGoesWithItsKey(t *testing.T) {
	first, second := newLocal(t), newLocal(t)
	keyOf := func(l *local) jose.JSONWebKey {
		return jose.JSONWebKey{Key: l.key.Public(), KeyID: l.kid, Algorithm: "ES256"}
	}
	keys, err := authn.NewKeySet(keyOf(first), keyOf(second))
	if err != nil {
		t.Fatal(err)
	}
	who, err := authn.New(authn.Config{Verifiers: []authn.Verifier{authn.NewTokenVerifier(authn.DefaultIssuer, keys)}})
	if err != nil {
		t.Fatal(err)
	}
	goes, stays := first.sign(t, map[string]any{"sub": "a"}), second.sign(t, map[string]any{"sub": "b"})
	for _, s := range []authn.Secret{goes, stays} {
		if _, err := who.Authenticate(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if n := authn.Remembered(who); n != 2 {
		t.Fatalf("%d tokens are remembered", n)
	}
	if err := keys.Replace(keyOf(second)); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, who, goes)
	if _, err := who.Authenticate(t.Context(), stays); err != nil {
		t.Errorf("the token of the key that stays: %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	l := newLocal(t)
	verifier, err := l.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	who, err := authn.New(authn.Config{Verifiers: []authn.Verifier{verifier}, Remembered: 32})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		tokens := make([]authn.Secret, 64)
		for i := range tokens {
			tokens[i] = l.sign(t, map[string]any{"sub": strconv.Itoa(w*len(tokens) + i)})
		}
		wg.Go(func() {
			for i, s := range tokens {
				if c, err := who.Authenticate(t.Context(), s); err != nil || c.Name != strconv.Itoa(w*len(tokens)+i) {
					t.Errorf("token %d: %+v, %v", i, c, err)
				}
			}
		})
	}
	wg.Wait()
	if n := authn.Remembered(who); n > 32 || n < 16 {
		t.Errorf("%d tokens are remembered, want 32 at most, and not many fewer", n)
	}
}

func TestKeySetRefuses(t *testing.T) {
	l := newLocal(t)
	for name, keys := range map[string][]jose.JSONWebKey{
		"a private key":    {{Key: l.key, KeyID: "x", Algorithm: "ES256"}},
		"a shared secret":  {{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "x", Algorithm: "HS256"}},
		"no algorithm":     {{Key: l.key.Public(), KeyID: "x"}},
		"algorithm none":   {{Key: l.key.Public(), KeyID: "x", Algorithm: "none"}},
		"no id":            {{Key: l.key.Public(), Algorithm: "ES256"}},
		"one id, two keys": {{Key: l.key.Public(), KeyID: "x", Algorithm: "ES256"}, {Key: l.key.Public(), KeyID: "x", Algorithm: "ES256"}},
	} {
		if _, err := authn.NewKeySet(keys...); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func BenchmarkRememberedToken(b *testing.B) {
	issuer, err := authn.OpenIssuer(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	verifier, err := issuer.Verifier()
	if err != nil {
		b.Fatal(err)
	}
	who, err := authn.New(authn.Config{Verifiers: []authn.Verifier{verifier}})
	if err != nil {
		b.Fatal(err)
	}
	token, err := issuer.Sign(authn.UserClaims(authn.TokenUser{UserID: 1, PartyID: 2, Level: 3}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := who.Authenticate(b.Context(), authn.Secret(token)); err != nil {
			b.Fatal(err)
		}
	}
}
