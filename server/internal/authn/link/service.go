package link

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Reasons.
const (
	// ReasonUserNotFound is given when no living person on record is the user.
	ReasonUserNotFound fault.Reason = "USER_NOT_FOUND"
	// ReasonIdentityNotFound is given when nobody has said which user the subject is.
	ReasonIdentityNotFound fault.Reason = "IDENTITY_NOT_FOUND"
	// ReasonNotRecorded is given when a change could not be recorded, and so was not made.
	ReasonNotRecorded fault.Reason = "CHANGE_NOT_RECORDED"
)

// Identity is a subject of an issuer, and the user that it is.
type Identity struct {
	Issuer, Subject string
	User            int64
}

// Query asks for identities, by issuer and then subject.
type Query struct {
	User   int64    // those that are this user; 0 for any
	Issuer string   // those of this issuer; empty for any; not together with User
	After  Identity // the last of the page before
	Limit  int
}

// Store keeps identities.
type Store interface {
	UserOfIdentity(ctx context.Context, issuer, subject string) (user int64, err error)
	// PutIdentity says which user a subject is; false when no living person on record is the user.
	PutIdentity(ctx context.Context, issuer, subject string, user int64) (bool, error)
	DeleteIdentity(ctx context.Context, issuer, subject string) (bool, error)
	Identities(ctx context.Context, q Query) ([]Identity, error)
}

// Change is a change that is about to be made.
type Change struct {
	Identity       // as it is to be; User is 0 when it is to be nobody
	Was      int64 // the user that it was, 0 for nobody
}

// Config is what a Service needs. All of it is required.
type Config struct {
	Store Store
	// Exists says whether a user is a living person on record.
	Exists func(user int64) bool
	// Record records a change. When it fails the change is not made.
	Record func(ctx context.Context, c Change) error
}

// Service links subjects and users. It is safe for concurrent use.
type Service struct{ c Config }

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Exists == nil || c.Record == nil {
		return nil, errors.New("links of identities need a store, users and a record")
	}
	return &Service{c}, nil
}

// Link says which user a subject is, and returns which it was.
func (s *Service) Link(ctx context.Context, i Identity) (was int64, err error) {
	if !s.c.Exists(i.User) {
		return 0, noUser(i.User)
	}
	if was, err = s.prepare(ctx, i); err != nil || was == i.User {
		return was, err
	}
	there, err := s.c.Store.PutIdentity(ctx, i.Issuer, i.Subject, i.User)
	switch {
	case err != nil:
		return 0, err
	case !there: // any more
		return 0, noUser(i.User)
	}
	return was, nil
}

func noUser(user int64) error {
	return fault.New(fault.NotFound, ReasonUserNotFound, "no living person on record is user %d", user)
}

// Unlink says that a subject is nobody, and returns whom it was.
func (s *Service) Unlink(ctx context.Context, issuer, subject string) (was int64, err error) {
	if was, err = s.prepare(ctx, Identity{Issuer: issuer, Subject: subject}); err != nil {
		return 0, err
	}
	if was == 0 {
		return 0, fault.New(fault.NotFound, ReasonIdentityNotFound, "nobody has said which user the subject is")
	}
	_, err = s.c.Store.DeleteIdentity(ctx, issuer, subject)
	return was, err
}

// prepare returns which user a subject is, and has a change of it recorded.
func (s *Service) prepare(ctx context.Context, to Identity) (was int64, err error) {
	was, err = s.c.Store.UserOfIdentity(ctx, to.Issuer, to.Subject)
	if err != nil || was == to.User {
		return was, err
	}
	if err := s.c.Record(ctx, Change{to, was}); err != nil {
		return 0, fault.New(fault.Unavailable, ReasonNotRecorded, "the change could not be recorded, so it is not made").Because(err)
	}
	return was, nil
}

// List returns a page of identities, and the token of the next.
func (s *Service) List(ctx context.Context, q Query, token string) (page []Identity, next string, err error) {
	if q.User != 0 && q.Issuer != "" {
		return nil, "", fault.Field("issuer", "give one of user_id and issuer")
	}
	if q.After, err = readToken(token); err != nil {
		return nil, "", err
	}
	size := q.Limit
	q.Limit++ // one more shows whether there is more
	if page, err = s.c.Store.Identities(ctx, q); err != nil {
		return nil, "", err
	}
	if len(page) <= size {
		return page, "", nil
	}
	page = page[:size]
	last := page[size-1]
	return page, base64.RawURLEncoding.EncodeToString([]byte(last.Issuer + "\n" + last.Subject)), nil
}

func readToken(token string) (after Identity, err error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	issuer, subject, found := strings.Cut(string(text), "\n")
	if err != nil || !found && token != "" {
		return Identity{}, fault.Field("page_token", "is none of this list")
	}
	return Identity{Issuer: issuer, Subject: subject}, nil
}
