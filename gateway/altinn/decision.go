package altinn

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Decisions says who may ask for decisions without credentials of his own. The zero
// Decisions is nobody.
type Decisions struct {
	// Identity is the authorization of the gateway's own calls, which it makes for those
	// clients that it knows by other means. Without it there are none.
	Identity string
	// Peers are the networks of clients that may ask.
	Peers []netip.Prefix
	// Certificates says that a client certificate that the TLS layer has verified is enough.
	Certificates bool
	// Open lets everybody ask.
	Open bool
	// MaxBody limits a request's body.
	MaxBody int64
}

// trusts says whether the client may ask as who he is on the wire.
func (d *Decisions) trusts(r *http.Request) bool {
	switch {
	case d.Identity == "":
		return false
	case d.Open, d.Certificates && r.TLS != nil && len(r.TLS.VerifiedChains) > 0:
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	peer, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(d.Peers, func(p netip.Prefix) bool { return p.Contains(peer.Unmap()) })
}

// decision answers POST decision, for components of the platform: a scope, or what is known
// of the client otherwise, lets it ask.
func (a *API) decision(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if a.decisions.trusts(r) {
		ctx = identified(ctx, a.decisions.Identity)
	}
	a.decide(ctx, w, r, behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION)
}

// authorize answers POST authorize, for others.
func (a *API) authorize(w http.ResponseWriter, r *http.Request) {
	a.decide(r.Context(), w, r, behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_AUTHORIZE)
}

// decide asks for decisions. Whatever is wrong with the body is told by a decision, with
// status 200; only who may not ask gets another.
func (a *API) decide(ctx context.Context, w http.ResponseWriter, r *http.Request, door behalfv1.DecisionDoor) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.decisions.MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		problem.Write(w, r, problem.New(http.StatusRequestEntityTooLarge, codes.InvalidArgument, problem.BodyTooLarge,
			"the body exceeds the limit of "+strconv.FormatInt(a.decisions.MaxBody, 10)+" bytes"))
		return
	}
	if err != nil {
		problem.Write(w, r, problem.New(http.StatusBadRequest, codes.InvalidArgument, problem.InvalidArgument,
			"the body ended before its announced length"))
		return
	}
	answer, err := a.decider.DecideXACML(ctx, &behalfv1.DecideXACMLRequest{
		Body: body, ContentType: r.Header.Get("Content-Type"), Door: door,
	})
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	if len(answer.GetBody()) == 0 { // no decision at all must not look like one
		a.answerFault(w, r, http.StatusInternalServerError, "INTERNAL")
		return
	}
	ev := event.From(r.Context())
	ev.Decision, ev.Why = answer.GetSummary(), answer.GetReason()
	w.Header().Set("Content-Type", answer.GetContentType())
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.GetBody())))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(answer.GetBody()) // the client went away; there is nobody to tell
}

// identified returns a context whose calls are the gateway's own.
func identified(ctx context.Context, identity string) context.Context {
	md, _ := metadata.FromOutgoingContext(ctx)
	md = md.Copy()
	md.Set("authorization", identity)
	return metadata.NewOutgoingContext(ctx, md)
}
