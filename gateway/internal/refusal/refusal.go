package refusal

import (
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Reasons of refusals that no verdict gives.
const (
	ReasonUntrustedPeer = "UNTRUSTED_PEER"
	ReasonMalformed     = "REQUEST_MALFORMED"
	ReasonUnavailable   = "UNAVAILABLE"
	ReasonNoVerdict     = "NO_VERDICT"
	reasonMissing       = "CREDENTIALS_MISSING"
)

// Refusal is how a request is kept out.
type Refusal struct {
	Status    int    // of HTTP; 302 where Location is
	Reason    string // for machines
	Message   string // for people
	Challenge string // what else than a login page would help, of 401 and 302
	Location  string // where the browser logs in; empty where it should not, or is none
	Retry     string // in how many seconds to ask again, of 429 and 503
	Hint      string // where the page whose script asked could go to log in, empty when nowhere
}

// Of returns the refusal of a verdict about what was asked. A verdict that is not known, and a
// permission, which is none of ours to pass on, keep the request out too.
func Of(answer *behalfv1.AuthorizeResponse, asked *behalfv1.AuthorizeRequest, login Login) Refusal {
	f := Refusal{Status: http.StatusForbidden, Reason: answer.GetReason(), Message: answer.GetMessage()}
	switch answer.GetVerdict() {
	case behalfv1.Verdict_VERDICT_DENIED:
	case behalfv1.Verdict_VERDICT_MALFORMED:
		f.Status = http.StatusBadRequest
	case behalfv1.Verdict_VERDICT_UNAUTHENTICATED:
		f.Challenge = `Bearer realm="behalf"`
		if answer.GetReason() != reasonMissing {
			f.Challenge += `, error="invalid_token"`
		}
		f.toLogin(login, asked, "")
	case behalfv1.Verdict_VERDICT_STEP_UP:
		acr := "urn:altinn:authlevel:" + strconv.Itoa(int(answer.GetRequiredLevel()))
		f.Challenge = `Bearer realm="behalf", error="insufficient_user_authentication", acr_values="` + acr + `"`
		f.toLogin(login, asked, acr)
	case behalfv1.Verdict_VERDICT_ALLOWED, behalfv1.Verdict_VERDICT_UNSPECIFIED:
		return Refusal{Status: http.StatusForbidden, Reason: ReasonNoVerdict, Message: "there is no verdict"}
	default:
		return Refusal{Status: http.StatusForbidden, Reason: ReasonNoVerdict, Message: "there is no verdict that is known"}
	}
	return f
}

// toLogin has a browser log in, and anybody else told that it needs to be known who he is.
func (f *Refusal) toLogin(login Login, asked *behalfv1.AuthorizeRequest, acr string) {
	f.Status = http.StatusUnauthorized
	switch page, ok := login.page(asked); {
	case !ok:
	case navigates(asked):
		f.Status, f.Location = http.StatusFound, page.address(asked, acr)
	default:
		f.Hint = page.address(nil, acr)
	}
}

// Failed returns the refusal of a call that failed. Why it did is for the log. It never sends
// a browser to the login: that would not help, and could go on for ever.
func Failed(err error) Refusal {
	if status.Code(err) == codes.InvalidArgument {
		return Refusal{Status: http.StatusBadRequest, Reason: ReasonMalformed, Message: "the request is too long, or has too many headers"}
	}
	if after := event.RetryAfter(err); after > 0 { // the services say whether it is for the client's rate, or for all that they have in hand
		return Refusal{
			Status: http.StatusTooManyRequests, Reason: problem.FromError(err).Reason, Message: "too many requests; try again later", Retry: event.Seconds(after),
		}
	}
	return Refusal{Status: http.StatusServiceUnavailable, Reason: ReasonUnavailable, Message: "it cannot be answered now whether the request may pass", Retry: "1"}
}

// Untold returns the refusal of a request of which the gateway does not tell, or tells twice.
func Untold() Refusal {
	return Refusal{Status: http.StatusBadRequest, Reason: ReasonMalformed, Message: "the gateway does not tell of the request, or tells twice"}
}

// Untrusted returns the refusal of whoever is no gateway that is believed.
func Untrusted() Refusal {
	return Refusal{Status: http.StatusForbidden, Reason: ReasonUntrustedPeer, Message: "the gateway is not among those that are trusted"}
}
