package behalf_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/internal/testserver"
)

const (
	kari   = behalf.UserID(testserver.KariUser)
	ola    = behalf.UserID(testserver.OlaUser)
	bakery = behalf.PartyID(testserver.Bakery)
	branch = behalf.PartyID(testserver.Branch)
)

func TestParties(t *testing.T) {
	c := dial(t)
	for name, tc := range map[string]struct {
		query behalf.PartyQuery
		want  []int64
	}{
		"all by name":      {behalf.PartyQuery{User: kari}, []int64{testserver.Bakery, testserver.Branch, testserver.KariParty}},
		"one to a page":    {behalf.PartyQuery{User: kari, PageSize: 1}, []int64{testserver.Bakery, testserver.Branch, testserver.KariParty}},
		"by role":          {behalf.PartyQuery{User: kari, Role: "dagl"}, []int64{testserver.Bakery, testserver.Branch}},
		"search":           {behalf.PartyQuery{User: kari, Search: "bergen"}, []int64{testserver.Branch}},
		"of somebody else": {behalf.PartyQuery{User: ola}, []int64{testserver.OlaParty}},
	} {
		t.Run(name, func(t *testing.T) {
			parties, err := behalf.Collect(c.Parties(t.Context(), tc.query))
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, p := range parties {
				got = append(got, p.GetPartyId())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for p, err := range c.Parties(t.Context(), behalf.PartyQuery{User: kari, PageSize: 1}) {
		if err != nil || p.GetPartyId() != testserver.Bakery {
			t.Errorf("first entry %v, %v", p, err)
		}
		break
	}
	if all, err := behalf.Collect(c.Parties(t.Context(), behalf.PartyQuery{User: kari, Role: "nope"})); all != nil || behalf.ReasonOf(err) != behalf.ReasonUnknownRole {
		t.Errorf("an unknown role: %v, %v", all, err)
	}
	p, err := c.Party(t.Context(), behalf.ByOrgNumber("310001007"))
	if err != nil || p.GetPartyId() != testserver.Bakery {
		t.Errorf("by number: %v, %v", p, err)
	}
	representatives, err := behalf.Collect(c.Representatives(t.Context(), branch, ""))
	if err != nil || len(representatives) != 1 || representatives[0].GetUserId() != testserver.KariUser {
		t.Errorf("representatives %v, %v", representatives, err)
	}
}

func TestRolesAndRepresentation(t *testing.T) {
	c := dial(t)
	roles, err := c.Roles(t.Context(), kari, branch)
	if err != nil || !slices.ContainsFunc(roles, func(r *behalf.Role) bool { return r.GetCode() == "UTINN" }) {
		t.Errorf("roles %v, %v", roles, err)
	}
	if catalogue, err := c.Catalogue(t.Context()); err != nil || len(catalogue) < 100 {
		t.Errorf("%d roles in the catalogue, %v", len(catalogue), err)
	}
	for user, want := range map[behalf.UserID]bool{kari: true, ola: false} {
		if got, err := c.MayRepresent(t.Context(), user, bakery); err != nil || got != want {
			t.Errorf("user %d may represent: %v, %v", user, got, err)
		}
	}
}

// TestMe asks with a user's own token, without naming him.
func TestMe(t *testing.T) {
	text, err := running.Token(testserver.KariUser, testserver.KariParty, 3)
	if err != nil {
		t.Fatal(err)
	}
	me := dial(t).As(text)
	if who, err := me.Caller(t.Context()); err != nil || who.GetUserId() != testserver.KariUser || who.GetLevel() != 3 {
		t.Errorf("caller %v, %v", who, err)
	}
	if allowed, err := me.Check(t.Context(), behalf.Question{Object: bakery.Object(), Permission: "represent", Subject: behalf.Me.Subject()}); !allowed || err != nil {
		t.Errorf("check: %v, %v", allowed, err)
	}
	if _, err := me.MayRepresent(t.Context(), ola, bakery); behalf.ReasonOf(err) != behalf.ReasonOtherUser || behalf.CodeOf(err) != codes.PermissionDenied {
		t.Errorf("about somebody else: %v", err)
	}
}

func TestErrors(t *testing.T) {
	c := dial(t)
	_, err := c.Party(t.Context(), behalf.ByPartyID(1))
	if behalf.ReasonOf(err) != behalf.ReasonPartyNotFound || behalf.CodeOf(err) != codes.NotFound || status.Code(err) != codes.NotFound {
		t.Errorf("no party: %v", err)
	}
	_, err = c.Roles(t.Context(), kari, -1)
	e, ok := errors.AsType[*behalf.Error](err)
	if !ok || e.Reason != behalf.ReasonInvalidArgument || len(e.Violations) != 1 || e.Violations[0].Field != "party_id" {
		t.Errorf("an invalid field: %+v", e)
	}
	if _, err := c.Party(t.Context(), behalf.PartyRef{}); behalf.ReasonOf(err) != behalf.ReasonInvalidArgument {
		t.Errorf("no reference: %v", err)
	}
	if _, err := c.As("nonsense").Caller(t.Context()); behalf.ReasonOf(err) != behalf.ReasonCredentialsInvalid {
		t.Errorf("a token that is none: %v", err)
	}
	if _, err := c.As("").Caller(t.Context()); behalf.CodeOf(err) != codes.Unauthenticated {
		t.Errorf("no token: %v", err)
	}
	failing := dial(t, behalf.WithTokenSource(func(context.Context) (string, error) { return "", errors.New("no network") }))
	if allowed, err := failing.MayRepresent(t.Context(), kari, bakery); allowed || behalf.CodeOf(err) != codes.Unavailable {
		t.Errorf("no token to be had: %v, %v", allowed, err)
	}
}

// TestDialing holds what is spoken to whom, and what happens when nobody listens.
func TestDialing(t *testing.T) {
	if _, err := behalf.Dial("example.org:7400", behalf.WithTLS(&tls.Config{}), behalf.WithPlaintext()); err == nil {
		t.Error("TLS and plaintext at once")
	}
	if c := dial(t, behalf.WithTLS(&tls.Config{})); c != nil {
		if _, err := c.Caller(t.Context()); behalf.CodeOf(err) != codes.Unavailable {
			t.Errorf("TLS to a server without: %v", err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := behalf.Dial(nobody, behalf.WithToken("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if allowed, err := c.Check(t.Context(), behalf.Question{Object: bakery.Object(), Permission: "represent", Subject: kari.Subject()}); allowed || behalf.CodeOf(err) != codes.Unavailable {
		t.Errorf("nobody there: %v, %v", allowed, err)
	}
}
