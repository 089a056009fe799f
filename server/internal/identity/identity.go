package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Persons finds parties in memory.
type Persons interface {
	ByNationalID(number string) (party.Party, bool)
	ByUser(user party.UserID) (party.Party, bool)
}

// Links keep which user a subject of an issuer is.
type Links interface {
	UserOfIdentity(ctx context.Context, issuer, subject string) (user int64, err error)
	// AddIdentity says which user it is unless somebody has, and returns which it is.
	AddIdentity(ctx context.Context, issuer, subject string, user int64) (is int64, err error)
}

// Register makes parties.
type Register interface {
	PutParty(ctx context.Context, source string, record register.PartyRecord) (party.Party, relation.Revision, error)
}

// Config is what Users need. All of it is required.
type Config struct {
	Persons  Persons
	Links    Links
	Register Register
}

// Users knows users by identities. It implements authn.Users.
type Users struct {
	persons  Persons
	links    Links
	register Register
}

// New returns users.
func New(c Config) (*Users, error) {
	if c.Persons == nil || c.Links == nil || c.Register == nil {
		return nil, errors.New("identities need persons, links and a register")
	}
	return &Users{c.Persons, c.Links, c.Register}, nil
}

// UserOf returns the user and his own party, zeros when the identity is of none.
func (u *Users) UserOf(ctx context.Context, i authn.Identity) (userID, partyID int64, err error) {
	if i.PID != "" {
		// A number that is nobody's makes no user: the register says who there is.
		if p, found := u.persons.ByNationalID(i.PID); found && p.UserID != 0 && p.DiedOn == "" {
			return int64(p.UserID), int64(p.ID), nil
		}
		return 0, 0, nil
	}
	if i.Subject == "" {
		return 0, 0, nil
	}
	if userID, err = u.links.UserOfIdentity(ctx, i.Issuer, i.Subject); err != nil {
		return 0, 0, err
	}
	if userID == 0 && i.Provision {
		return u.provision(ctx, i)
	}
	userID, partyID = u.living(userID)
	return userID, partyID, nil
}

// living returns a user and his own party, zeros when he is no living person on record.
func (u *Users) living(user int64) (userID, partyID int64) {
	if p, found := u.persons.ByUser(party.UserID(user)); found && user != 0 && p.DiedOn == "" {
		return user, int64(p.ID)
	}
	return 0, 0
}

// provision makes a user of a subject: a party that has identified itself, whose key at the
// source is the subject's hash, so that two calls at once make one. The register numbers the
// party first, as a login must name a number.
func (u *Users) provision(ctx context.Context, i authn.Identity) (userID, partyID int64, err error) {
	sum := sha256.Sum256([]byte(i.Issuer + "\n" + i.Subject))
	source := "idp." + i.Provider
	record := register.PartyRecord{
		Kind: party.SelfIdentified, Name: i.Provider + " " + hex.EncodeToString(sum[:6]), Key: hex.EncodeToString(sum[:]),
	}
	made, _, err := u.register.PutParty(ctx, source, record)
	if err != nil {
		return 0, 0, fmt.Errorf("make a user of a subject: %w", err)
	}
	record.ID, record.UserID, record.Login = made.ID, made.UserID, true
	if _, _, err := u.register.PutParty(ctx, source, record); err != nil {
		return 0, 0, fmt.Errorf("let a new user log in: %w", err)
	}
	userID, err = u.links.AddIdentity(ctx, i.Issuer, i.Subject, int64(made.UserID))
	switch {
	case err != nil:
		return 0, 0, err
	case userID == int64(made.UserID):
		return userID, int64(made.ID), nil
	}
	// An administrator has said meanwhile who it is, and his word stands.
	userID, partyID = u.living(userID)
	return userID, partyID, nil
}
