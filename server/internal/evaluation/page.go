package evaluation

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// MaxPage is how many results a part of a list has at most.
const MaxPage = 1000

// token is what the token of a part says. It is no secret and gives no right: what it says
// could be asked without it.
type token struct {
	Query    []byte            `json:"q"`           // of which list it is: a hash
	Limit    *int              `json:"l,omitempty"` // as it was given
	Revision relation.Revision `json:"r"`           // of the list
	After    string            `json:"a"`           // the last entry that was looked at
}

func (t token) String() string {
	text, _ := json.Marshal(t) // texts and a number
	return base64.RawURLEncoding.EncodeToString(text)
}

// hash names a list by all that is asked for.
func hash(kind string, q *Question) []byte {
	// Maps are written in the order of their names, so that the same question is the same text.
	text, err := json.Marshal([]any{kind, q.Subject, q.Action, q.Resource, q.Context})
	if err != nil { // a number that is none
		text = fmt.Appendf(nil, "%q %v", kind, *q)
	}
	sum := sha256.Sum256(text)
	return sum[:16]
}

// open reads the token of a page, and says how the list continues.
func (p Page) open(kind string, q *Question) (token, error) {
	fresh := token{Query: hash(kind, q), Limit: p.Limit}
	if p.Token == "" {
		return fresh, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Token)
	var t token
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return token{}, wrongToken("is no token of a search")
	}
	switch {
	case string(t.Query) != string(fresh.Query):
		return token{}, wrongToken("is the token of another search: all that is asked for must stay the same")
	case p.Limit != nil && (t.Limit == nil || *t.Limit != *p.Limit):
		return token{}, wrongToken("continues a search with another limit: it must stay the same")
	case t.Limit != nil && *t.Limit < 0 || t.Revision == "":
		return token{}, wrongToken("is no token of a search")
	}
	return t, nil
}

func wrongToken(message string) error {
	f := fault.Field("page.token", "%s", message)
	f.Reason = fault.ReasonInvalidPageToken
	return f
}

// limit returns how many results the part has at most.
func (t token) limit() int {
	if t.Limit == nil {
		return MaxPage
	}
	return min(*t.Limit, MaxPage)
}

// pin fixes the revision of the list: that of its first part, as long as it can still be
// read, and else the newest one.
func (s *Service) pin(ctx context.Context, at relation.At, t token) (context.Context, relation.Revision, error) {
	if t.Revision == "" {
		return s.relations.Pin(ctx, at)
	}
	pinned, revision, err := s.relations.Pin(ctx, relation.At{Exact: t.Revision})
	if err == nil {
		return pinned, revision, nil
	}
	pinned, revision, err = s.relations.Pin(ctx, relation.At{AtLeast: t.Revision})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Invalid || kind == fault.OutOfRange || kind == fault.Precondition) {
		return nil, "", wrongToken("is no token of this server")
	}
	return pinned, revision, err
}
