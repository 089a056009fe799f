package pep

import (
	"context"
	"fmt"
	"strconv"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// Categories of the assignments of Altinn's obligation to authenticate.
const (
	minimumLevel    = "urn:altinn:minimum-authenticationlevel"
	minimumLevelOrg = "urn:altinn:minimum-authenticationlevel-org"
)

// Duty meets an obligation, such as to note the access down. The door stays closed on an error.
type Duty func(ctx context.Context, who Subject, obligation *behalf.Obligation) error

// meet meets the obligations of a Permit, or refuses. Duties come last: they may write something
// down, and nothing was let in that another obligation forbids.
func (g *Guard) meet(ctx context.Context, who Subject, obligations []*behalf.Obligation) error {
	var required required
	var duties []*behalf.Obligation
	for _, o := range obligations {
		known, err := required.take(o)
		switch {
		case err != nil:
			return err
		case !known && g.duties[o.GetId()] == nil:
			return unmet(o, nil)
		case !known:
			duties = append(duties, o)
		}
	}
	if err := required.met(who); err != nil {
		return err
	}
	for _, o := range duties {
		if err := g.duties[o.GetId()](ctx, who, o); err != nil {
			return unmet(o, err)
		}
	}
	return nil
}

func unmet(o *behalf.Obligation, cause error) *Refusal {
	message := fmt.Sprintf("the obligation %q is not known here", o.GetId())
	if cause != nil {
		message = fmt.Sprintf("the obligation %q could not be met", o.GetId())
	}
	return &Refusal{Reason: ReasonObligationUnmet, Message: message, cause: cause}
}

// required is the authentication level that obligations ask for: the highest of each kind.
type required struct {
	level    int
	orgLevel int
	forOrg   bool // orgLevel was given
}

// take reads an obligation. It is known when all its assignments are levels, and it has one.
func (r *required) take(o *behalf.Obligation) (known bool, _ error) {
	for _, a := range o.GetAssignments() {
		if a.GetCategory() != minimumLevel && a.GetCategory() != minimumLevelOrg {
			return false, nil
		}
	}
	for _, a := range o.GetAssignments() {
		level, err := strconv.Atoi(a.GetValue())
		if err != nil || level < 0 {
			return false, unmet(o, fmt.Errorf("%q is no level", a.GetValue()))
		}
		if a.GetCategory() == minimumLevel {
			r.level = max(r.level, level)
		} else {
			r.orgLevel, r.forOrg = max(r.orgLevel, level), true
		}
	}
	return len(o.GetAssignments()) > 0, nil
}

// met refuses who has logged in at too low a level. A service owner may have one of its own.
func (r *required) met(who Subject) error {
	if who.Level >= r.level || who.Org != "" && r.forOrg && who.Level >= r.orgLevel {
		return nil
	}
	return &Refusal{Reason: ReasonLevelTooLow, Message: fmt.Sprintf("authentication level %d is needed", r.level), RequiredLevel: r.level}
}
