package party

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

func TestPageToken(t *testing.T) {
	query := Query{User: 1}.fingerprint()
	for _, want := range []cursor{
		{after: position{id: 1}},
		{begun: 1<<63 - 1, after: position{id: 1<<63 - 1, key: "\x00\xffkey"}},
		{begun: 5, after: position{id: 7, last: true}},
	} {
		got, err := parsePageToken(query, pageToken(query, want))
		if err != nil || got != want {
			t.Errorf("round trip of %+v: %+v, %v", want, got, err)
		}
	}
}

// Every field of a query but the page size belongs to its tokens.
func TestPageTokenOfAnotherQuery(t *testing.T) {
	query := Query{User: 1, Role: "dagl", Search: "a b", Order: ByNumber, Group: true, ExcludeDeleted: true}
	token := pageToken(query.fingerprint(), cursor{after: position{id: 1}})
	same := query
	same.PageSize, same.PageToken, same.At.AtLeast, same.Search = 7, "x", "y", " A   b"
	if _, err := parsePageToken(same.fingerprint(), token); err != nil {
		t.Errorf("the same query: %v", err)
	}
	for name, change := range map[string]func(*Query){
		"user":            func(q *Query) { q.User = 2 },
		"role":            func(q *Query) { q.Role = "" },
		"search":          func(q *Query) { q.Search = "ab" },
		"order":           func(q *Query) { q.Order = ByName },
		"group":           func(q *Query) { q.Group = false },
		"exclude deleted": func(q *Query) { q.ExcludeDeleted = false },
	} {
		other := query
		change(&other)
		_, err := parsePageToken(other.fingerprint(), token)
		wantBadToken(t, name, err)
	}
}

func FuzzPageToken(f *testing.F) {
	query := Query{User: 1}.fingerprint()
	good := pageToken(query, cursor{begun: 9, after: position{id: 42, key: "k"}})
	f.Add(good)
	f.Add(good + "=")
	f.Add(good[1:])
	f.Add("")
	f.Add("!")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, tokenHead)))
	f.Fuzz(func(t *testing.T, token string) {
		c, err := parsePageToken(query, token)
		if err != nil {
			wantBadToken(t, token, err)
			return
		}
		if c.after.id <= 0 || pageToken(query, c) != token {
			t.Errorf("%q is read as %+v, whose token is another", token, c)
		}
	})
}

func wantBadToken(t *testing.T, what string, err error) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Invalid || e.Reason != fault.ReasonInvalidPageToken ||
		len(e.Violations) != 1 || e.Violations[0].Field != "page_token" {
		t.Errorf("%s: %v, want INVALID_PAGE_TOKEN of field page_token", what, err)
	}
}
