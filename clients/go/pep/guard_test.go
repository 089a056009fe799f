package pep_test

import (
	"context"
	"errors"
	"testing"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/pep"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// says is a decider with one answer.
type says struct {
	decision *behalf.Decision
	err      error
}

func (s says) Decide(context.Context, behalf.Request) (*behalf.Decision, error) {
	return s.decision, s.err
}

func assignments(pairs ...string) []*behalf.Obligation {
	o := &behalf.Obligation{Id: "urn:o"}
	for i := 0; i < len(pairs); i += 2 {
		o.Assignments = append(o.Assignments, &behalfv1.Assignment{Id: "urn:a", Category: pairs[i], Value: pairs[i+1]})
	}
	return []*behalf.Obligation{o}
}

// TestEnforce goes through what a decision may say: only a Permit whose every obligation is
// understood and met opens.
func TestEnforce(t *testing.T) {
	const level, org = "urn:altinn:minimum-authenticationlevel", "urn:altinn:minimum-authenticationlevel-org"
	permit := func(o []*behalf.Obligation) says {
		return says{decision: &behalf.Decision{Effect: behalf.Permit, Obligations: o}}
	}
	user := pep.Subject{Attributes: []behalf.Attribute{{ID: behalf.AttributeUser, Values: []string{"1"}}}, Level: 2}
	owner := pep.Subject{Attributes: []behalf.Attribute{{ID: behalf.AttributeOrg, Values: []string{"skd"}}}, Level: 2, Org: "skd"}
	two := append(assignments(level, "1"), assignments(level, "3")...)
	for name, tc := range map[string]struct {
		decider says
		who     pep.Subject
		want    behalf.Reason
		level   int
	}{
		"permit":                      {permit(nil), user, "", 0},
		"level held":                  {permit(assignments(level, "2")), user, "", 0},
		"level not held":              {permit(assignments(level, "3")), user, pep.ReasonLevelTooLow, 3},
		"the highest counts":          {permit(two), user, pep.ReasonLevelTooLow, 3},
		"an org's own level":          {permit(assignments(level, "3", org, "2")), owner, "", 0},
		"an org's own level not held": {permit(assignments(level, "4", org, "3")), owner, pep.ReasonLevelTooLow, 4},
		"an org without its own":      {permit(assignments(level, "3")), owner, pep.ReasonLevelTooLow, 3},
		"a user and an org's level":   {permit(assignments(level, "3", org, "2")), user, pep.ReasonLevelTooLow, 3},
		"a level that is none":        {permit(assignments(level, "high")), user, pep.ReasonObligationUnmet, 0},
		"a level below none":          {permit(assignments(level, "-1")), user, pep.ReasonObligationUnmet, 0},
		"a level and more":            {permit(assignments(level, "1", "urn:other", "x")), user, pep.ReasonObligationUnmet, 0},
		"an empty obligation":         {permit(assignments()), user, pep.ReasonObligationUnmet, 0},
		"a nil obligation":            {permit([]*behalf.Obligation{nil}), user, pep.ReasonObligationUnmet, 0},
		"no decision":                 {says{}, user, pep.ReasonDenied, 0},
		"the zero decision":           {says{decision: &behalf.Decision{}}, user, pep.ReasonDenied, 0},
		"deny":                        {says{decision: &behalf.Decision{Effect: behalf.Deny}}, user, pep.ReasonDenied, 0},
		"not applicable":              {says{decision: &behalf.Decision{Effect: behalf.NotApplicable}}, user, pep.ReasonDenied, 0},
		"an effect that is none":      {says{decision: &behalf.Decision{Effect: 99}}, user, pep.ReasonDenied, 0},
		"permit with an error":        {says{&behalf.Decision{Effect: behalf.Permit}, errors.New("x")}, user, behalf.ReasonUnavailable, 0},
		"nobody":                      {permit(nil), pep.Subject{Level: 4}, pep.ReasonSubjectUnknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			guard, err := pep.New(pep.Config{Client: client, Decider: tc.decider})
			if err != nil {
				t.Fatal(err)
			}
			err = guard.Enforce(t.Context(), tc.who, behalf.Request{})
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refusal, ok := errors.AsType[*pep.Refusal](err)
			if !ok || refusal.Reason != tc.want || refusal.RequiredLevel != tc.level {
				t.Errorf("%v, want %s at level %d", err, tc.want, tc.level)
			}
		})
	}
}

func TestNew(t *testing.T) {
	if _, err := pep.New(pep.Config{}); err == nil {
		t.Error("a guard that asks nobody")
	}
	if _, err := pep.New(pep.Config{Decider: says{}}); err == nil {
		t.Error("a guard that knows nobody")
	}
	if _, err := pep.New(pep.Config{Client: client, Duties: map[string]pep.Duty{"urn:o": nil}}); err == nil {
		t.Error("a duty that nobody does")
	}
}
