package authn

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json" // case-sensitive, and refuses a key that comes twice

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// TokenUser is an end user as a token describes him.
type TokenUser struct {
	UserID    int64
	PartyID   int64  // his own party; 0 leaves the claim out
	PartyUUID string // of his own party; empty leaves the claim out
	Name      string // the user name; empty leaves the claim out
	Level     int    // authentication level, 0 to 4
	Method    string // how he logged in, such as BankID; empty leaves the claim out
}

// UserClaims returns the claims that Altinn puts into an end user's token.
func UserClaims(u TokenUser) map[string]any {
	claims := map[string]any{
		"urn:altinn:userid":    u.UserID,
		"urn:altinn:authlevel": u.Level,
	}
	if u.PartyID != 0 {
		claims["urn:altinn:partyid"] = u.PartyID
	}
	for name, text := range map[string]string{
		"urn:altinn:party:uuid":         u.PartyUUID,
		"urn:altinn:username":           u.Name,
		"urn:altinn:authenticatemethod": u.Method,
	} {
		if text != "" {
			claims[name] = text
		}
	}
	return claims
}

// tokenClaims are the claims that are looked at. A claim whose value Altinn writes as a
// number or as a string is kept raw.
type tokenClaims struct {
	Issuer      string          `json:"iss"`
	Subject     string          `json:"sub"`
	Expires     *Instant        `json:"exp"`
	NotBefore   *Instant        `json:"nbf"`
	IssuedAt    *Instant        `json:"iat"`
	ClientID    string          `json:"client_id"`
	Scope       json.RawMessage `json:"scope"`
	AltinnScope json.RawMessage `json:"urn:altinn:scope"`
	UserID      json.RawMessage `json:"urn:altinn:userid"`
	PartyID     json.RawMessage `json:"urn:altinn:partyid"`
	Level       json.RawMessage `json:"urn:altinn:authlevel"`
	App         string          `json:"urn:altinn:app"`
	Org         string          `json:"urn:altinn:org"`
}

// Instant is a NumericDate: seconds since 1970, perhaps with a fraction.
type Instant struct{ time.Time }

// lastInstant is the end of the year 9999. A later one is a mistake, such as milliseconds.
const lastInstant = 253402300799

// UnmarshalJSON reads a JSON number.
func (i *Instant) UnmarshalJSON(b []byte) error {
	seconds, err := strconv.ParseFloat(string(b), 64)
	if err != nil || seconds < 0 || seconds > lastInstant {
		return fmt.Errorf("a time in the claims is not a number of seconds since 1970")
	}
	whole := int64(seconds)
	i.Time = time.Unix(whole, int64((seconds-float64(whole))*1e9))
	return nil
}

// current returns why the claims do not hold at the time, with no allowance for clocks
// that differ.
func (c *tokenClaims) current(now time.Time) error {
	switch {
	case c.Expires == nil:
		return invalid("the token has no expiry")
	case !now.Before(c.Expires.Time):
		return invalid("the token has expired")
	case c.NotBefore != nil && now.Before(c.NotBefore.Time):
		return invalid("the token is not valid yet")
	case c.IssuedAt != nil && now.Before(c.IssuedAt.Time):
		return invalid("the token is issued in the future")
	}
	return nil
}

// caller returns whom the claims describe.
func (c *tokenClaims) caller() (caller.Caller, error) {
	scope := c.Scope
	if scope == nil {
		scope = c.AltinnScope
	}
	if c.UserID != nil {
		who, err := c.user()
		if err == nil { // a user has none of our scopes, and a scope that cannot be read gives him nothing
			_, who.Granted, _ = readScopes(scope)
		}
		return who, err
	}
	scopes, granted, err := readScopes(scope)
	if err != nil {
		return caller.Caller{}, err
	}
	return caller.Caller{
		Kind: caller.Service, Name: c.serviceName(), Scopes: scopes, Granted: granted, App: c.App, Org: c.Org,
	}, nil
}

// AltinnUser returns the end user that Altinn's claims among all of a token's name, false
// when they name none.
func AltinnUser(all map[string]json.RawMessage) (u TokenUser, found bool, err error) {
	c := tokenClaims{UserID: all["urn:altinn:userid"], PartyID: all["urn:altinn:partyid"], Level: all["urn:altinn:authlevel"]}
	if c.UserID == nil {
		return u, false, nil
	}
	who, err := c.user()
	return TokenUser{UserID: who.UserID, PartyID: who.PartyID, Level: who.Level}, err == nil, err
}

// Scopes reads a token's scopes: ours, and those of other systems.
func Scopes(raw json.RawMessage) (ours []caller.Scope, others []string, err error) {
	return readScopes(raw)
}

// user returns the end user of the claims. A user id that is there and wrong is refused:
// the token of a user must never pass for a service's.
func (c *tokenClaims) user() (caller.Caller, error) {
	userID, ok := readNumber(c.UserID)
	if !ok || userID == 0 {
		return caller.Caller{}, invalid("the claim urn:altinn:userid is not a positive integer")
	}
	partyID, ok := readNumber(c.PartyID)
	if !ok {
		return caller.Caller{}, invalid("the claim urn:altinn:partyid is not an integer")
	}
	level, ok := readNumber(c.Level)
	if !ok || level > 4 {
		return caller.Caller{}, invalid("the claim urn:altinn:authlevel is not one of 0 to 4")
	}
	return caller.Caller{Kind: caller.User, UserID: userID, PartyID: partyID, Level: int(level)}, nil
}

// serviceName returns what logs call the bearer.
func (c *tokenClaims) serviceName() string {
	for _, name := range []string{c.ClientID, c.Subject, c.App, c.Org} {
		if name != "" {
			return name[:min(len(name), 128)]
		}
	}
	return "token"
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)

// readNumber reads a number, or a string of one. An absent one is 0.
func readNumber(raw json.RawMessage) (int64, bool) {
	if raw == nil {
		return 0, true
	}
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		if json.Unmarshal(raw, &text) != nil {
			return 0, false
		}
	}
	if !decimal.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// readScopes reads a string of scopes between spaces, or a list of scopes: ours, in the
// order of their declaration, and those of other systems.
func readScopes(raw json.RawMessage) (scopes []caller.Scope, granted []string, err error) {
	var names []string
	if raw != nil && !bytes.HasPrefix(raw, []byte("[")) {
		var text *string
		if err := json.Unmarshal(raw, &text); err != nil || text == nil {
			return nil, nil, invalid("the claim scope is neither a string nor a list of strings")
		}
		names = strings.Fields(*text)
	} else if raw != nil {
		if err := json.Unmarshal(raw, &names); err != nil {
			return nil, nil, invalid("the claim scope is neither a string nor a list of strings")
		}
	}
	for _, s := range caller.Scopes {
		if slices.Contains(names, string(s)) {
			scopes = append(scopes, s)
		}
	}
	for _, name := range names {
		if !slices.Contains(caller.Scopes, caller.Scope(name)) {
			granted = append(granted, name)
		}
	}
	return scopes, granted, nil
}
