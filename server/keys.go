package server

import (
	"log/slog"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/engine"
)

// PlatformIssuer is the issuer of the tokens by which parts of Altinn's platform say which
// they are. The local issuer signs them too, for trying and testing.
const PlatformIssuer = authn.PlatformIssuer

// UserClaims returns the claims of an end user's token, as Altinn puts them. A partyID of 0
// leaves the party out; level is the authentication level, 0 to 4.
func UserClaims(userID, partyID int64, level int) map[string]any {
	return authn.UserClaims(authn.TokenUser{UserID: userID, PartyID: partyID, Level: level})
}

// SignToken returns a token with the claims, signed with the key of a data directory that a
// server has made. It lasts for ttl unless the claims say when it ends. No server need run.
func SignToken(dataDir string, claims map[string]any, ttl time.Duration) (string, error) {
	issuer, err := authn.ReadIssuer(dataDir)
	if err != nil {
		return "", err
	}
	return sign(issuer, claims, ttl)
}

// SignTokenWith is SignToken with the keys of a file that servers share.
func SignTokenWith(issuerKeyFile string, claims map[string]any, ttl time.Duration) (string, error) {
	issuer, err := authn.ReadIssuerKeys(issuerKeyFile)
	if err != nil {
		return "", err
	}
	return sign(issuer, claims, ttl)
}

func sign(issuer *authn.Issuer, claims map[string]any, ttl time.Duration) (string, error) {
	if _, ends := claims["exp"]; !ends {
		claims["exp"] = time.Now().Add(ttl).Unix()
	}
	return issuer.Sign(claims)
}

// ReadAdminKey returns the bearer token that has the scope behalf:admin on the server of a
// data directory. The error is fs.ErrNotExist when no server has made it.
func ReadAdminKey(dataDir string) (string, error) {
	key, err := authn.ReadAdminKey(dataDir)
	return string(key), err
}

// RouteLogs sends what SpiceDB writes to its process-wide logger to the given one. It is
// for main: a process has one such logger, whatever the number of its servers.
func RouteLogs(logger *slog.Logger) { engine.RouteLogs(logger) }
