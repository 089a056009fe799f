package pep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// Decider answers requests for decisions; a *behalf.Client does.
type Decider interface {
	Decide(ctx context.Context, request behalf.Request) (*behalf.Decision, error)
}

// Config is what a Guard needs: a Client, or Decider and Identify.
type Config struct {
	// Client asks Behalf, with the scope behalf:decide.
	Client *behalf.Client
	// Decider answers in place of Client.
	Decider Decider
	// Identify finds out who calls. Default: ByBehalf with Client.
	Identify Identify
	// Duties meet obligations, by their ids, beside those about authentication levels. An obligation
	// that is not there keeps the door closed.
	Duties map[string]Duty
	// Realm names the service in challenges. Default: behalf.
	Realm string
	// ACR returns the authentication context class of a level, to be asked for at the login. Default:
	// urn:altinn:authlevel:<level>.
	ACR func(level int) string
	// Logger takes a line for each refusal that is no answer: what failed. Default: discard.
	Logger *slog.Logger
}

// Guard lets in who may. Make one with New.
type Guard struct {
	decider  Decider
	identify Identify
	duties   map[string]Duty
	realm    string
	acr      func(level int) string
	logger   *slog.Logger
}

// New returns a guard. The error joins all that is missing.
func New(cfg Config) (*Guard, error) {
	g := &Guard{decider: cfg.Decider, identify: cfg.Identify, duties: maps.Clone(cfg.Duties), realm: cfg.Realm, acr: cfg.ACR, logger: cfg.Logger}
	if cfg.Client != nil {
		if g.decider == nil {
			g.decider = cfg.Client
		}
		if g.identify == nil {
			g.identify = ByBehalf(cfg.Client)
		}
	}
	if g.realm == "" {
		g.realm = "behalf"
	}
	if g.acr == nil {
		g.acr = func(level int) string { return "urn:altinn:authlevel:" + strconv.Itoa(level) }
	}
	if g.logger == nil {
		g.logger = slog.New(slog.DiscardHandler)
	}
	var faults []error
	if g.decider == nil {
		faults = append(faults, errors.New("pep: neither Client nor Decider is given"))
	}
	if g.identify == nil {
		faults = append(faults, errors.New("pep: neither Client nor Identify is given"))
	}
	for id, duty := range g.duties {
		if duty == nil {
			faults = append(faults, fmt.Errorf("pep: the duty of %q is nil", id))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return g, nil
}

// Enforce returns nil when the subject may do what is asked about and every obligation is met, else
// a *Refusal. Whose request it is, the guard says: a subject in the request is replaced.
func (g *Guard) Enforce(ctx context.Context, who Subject, request behalf.Request) error {
	if len(who.Attributes) == 0 {
		return &Refusal{Reason: ReasonSubjectUnknown, Message: "the credentials name nobody who can have rights"}
	}
	decision, err := g.decider.Decide(ctx, request.By(who.Attributes...))
	if err != nil {
		return decisionRefused(ctx, err)
	}
	if decision.GetEffect() != behalf.Permit {
		return &Refusal{Reason: ReasonDenied, Message: "access is denied"}
	}
	return g.meet(ctx, who, decision.GetObligations())
}

// admit finds out who has sent the headers and enforces the decision on his request. The context it
// returns is for what is behind the door.
func (g *Guard) admit(ctx context.Context, authorization []string, ask func() (behalf.Request, error)) (context.Context, error) {
	token, err := bearer(authorization)
	if err != nil {
		return nil, err
	}
	who, err := g.identify(ctx, token)
	if err != nil {
		return nil, refusalOf(err)
	}
	request, err := ask()
	if err != nil {
		if r, ok := errors.AsType[*Refusal](err); ok {
			return nil, r
		}
		return nil, &Refusal{Reason: ReasonRequestInvalid, Message: "the request does not say what it is about", cause: err}
	}
	if err := g.Enforce(ctx, who, request); err != nil {
		return nil, err
	}
	return context.WithValue(ctx, subjectKey{}, who), nil
}

// refuse returns the refusal in err, and logs what led to it.
func (g *Guard) refuse(ctx context.Context, err error) *Refusal {
	r := refusalOf(err)
	if r.cause != nil {
		g.logger.WarnContext(ctx, "access refused", "reason", string(r.Reason), "error", r.cause)
	}
	return r
}
