package pep_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/clients/corpus"
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

// obligation returns one whose assignments are written category=value.
func obligation(pairs ...string) *behalf.Obligation {
	o := &behalf.Obligation{Id: "urn:o"}
	for _, pair := range pairs {
		category, value, _ := strings.Cut(pair, "=")
		o.Assignments = append(o.Assignments, &behalfv1.Assignment{Id: "urn:a", Category: category, Value: value})
	}
	return o
}

// enforce returns the reason of the refusal that a decision leads to, and the level it asks for.
func enforce(t *testing.T, decider says, who pep.Subject) (behalf.Reason, int) {
	t.Helper()
	guard, err := pep.New(pep.Config{Client: client, Decider: decider})
	if err != nil {
		t.Fatal(err)
	}
	if err = guard.Enforce(t.Context(), who, behalf.Request{}); err == nil {
		return "", 0
	}
	refusal, ok := errors.AsType[*pep.Refusal](err)
	if !ok {
		t.Fatal(err)
	}
	return refusal.Reason, refusal.RequiredLevel
}

var user = pep.Subject{Attributes: []behalf.Attribute{{ID: behalf.AttributeUser, Values: []string{"1"}}}, Level: 2}

// TestMet goes through the decisions that the middleware in TypeScript is given too: only a Permit
// whose every obligation is understood and met opens.
func TestMet(t *testing.T) {
	all, err := corpus.Read()
	if err != nil || len(all.Met) < 15 {
		t.Fatalf("%d decisions, %v", len(all.Met), err)
	}
	for _, tc := range all.Met {
		t.Run(tc.Name, func(t *testing.T) {
			effect, ok := behalfv1.Effect_value[tc.Decision.Effect]
			if !ok {
				t.Fatal(tc.Decision.Effect)
			}
			decision := &behalf.Decision{Effect: behalf.Effect(effect)}
			for _, pairs := range tc.Decision.Obligations {
				decision.Obligations = append(decision.Obligations, obligation(pairs...))
			}
			who := user
			who.Org = tc.Org
			if reason, level := enforce(t, says{decision: decision}, who); string(reason) != tc.Want || level != tc.Level {
				t.Errorf("%q at level %d, want %q at %d", reason, level, tc.Want, tc.Level)
			}
		})
	}
}

// TestAnswersThatAreNone holds that they open nothing.
func TestAnswersThatAreNone(t *testing.T) {
	permit := &behalf.Decision{Effect: behalf.Permit}
	for name, tc := range map[string]struct {
		decider says
		who     pep.Subject
		want    behalf.Reason
	}{
		"no decision":            {says{}, user, pep.ReasonDenied},
		"an effect that is none": {says{decision: &behalf.Decision{Effect: 99}}, user, pep.ReasonDenied},
		"a nil obligation":       {says{decision: &behalf.Decision{Effect: behalf.Permit, Obligations: []*behalf.Obligation{nil}}}, user, pep.ReasonObligationUnmet},
		"permit with an error":   {says{permit, errors.New("x")}, user, behalf.ReasonUnavailable},
		"nobody":                 {says{decision: permit}, pep.Subject{Level: 4}, pep.ReasonSubjectUnknown},
	} {
		if reason, _ := enforce(t, tc.decider, tc.who); reason != tc.want {
			t.Errorf("%s: %q, want %q", name, reason, tc.want)
		}
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
