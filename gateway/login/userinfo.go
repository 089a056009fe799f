package login

import (
	"encoding/json"
	"net/http"
	"strconv"

	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// userInfo is who somebody is. userId and groups are what Mia-Platform's authorization
// service reads; sub is the same as userId, for those that read OpenID's name.
type userInfo struct {
	Subject     string   `json:"sub"`
	UserID      string   `json:"userId"`
	Groups      []string `json:"groups"`
	Permissions []string `json:"permissions"`
	Level       int32    `json:"level"`
	PartyID     int64    `json:"partyId,omitempty"`
	Issuer      string   `json:"issuer,omitempty"`
	Provider    string   `json:"providerUserId,omitempty"` // what the issuer calls him
}

// userInfo answers who bears the token or whose session it is, and 401 when nobody is.
func (d *Doors) userInfo(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Authorization, Cookie")
	who, err := d.who(r)
	if err != nil {
		event.From(r.Context()).Err = err
		code := statusOf(err)
		if code == http.StatusForbidden {
			code = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		}
		w.WriteHeader(code)
		return
	}
	info := userInfo{
		UserID: strconv.FormatInt(who.GetUserId(), 10), Groups: who.GetGroups(), Permissions: who.GetPermissions(),
		Level: who.GetLevel(), PartyID: who.GetPartyId(), Issuer: who.GetIssuer(), Provider: who.GetSubject(),
	}
	switch {
	case who.GetKind() == behalfv1.CallerKind_CALLER_KIND_SERVICE:
		info.UserID = who.GetName()
	case who.GetUserId() == 0: // authenticated, and no user here
		info.UserID = who.GetIssuer() + "#" + who.GetSubject()
	}
	info.Subject = info.UserID
	if info.Groups == nil {
		info.Groups = []string{}
	}
	if info.Permissions == nil {
		info.Permissions = []string{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(info) // the client went away; there is nobody to tell
}

// who asks by the Authorization header, and by the session where there is none.
func (d *Doors) who(r *http.Request) (*behalfv1.GetCallerResponse, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return d.callers.GetCaller(r.Context(), &behalfv1.GetCallerRequest{})
	}
	md, _ := metadata.FromOutgoingContext(r.Context())
	md = md.Copy()
	md.Set("authorization", d.identity)
	answer, err := d.sessions.GetSession(metadata.NewOutgoingContext(r.Context(), md),
		&behalfv1.GetSessionRequest{Session: cookie(r, d.cookie)})
	return answer.GetCaller(), err
}
