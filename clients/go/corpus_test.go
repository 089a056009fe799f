package behalf_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	rpccode "google.golang.org/genproto/googleapis/rpc/code"

	"github.com/behalf-authz/behalf/clients/corpus"
	behalf "github.com/behalf-authz/behalf/clients/go"
)

// asked is a case of the corpus with its ids read.
type asked struct {
	corpus.Asked
	user  behalf.UserID
	party behalf.PartyID
}

// corpusCalls are the calls of the corpus: each returns what is compared of its answer.
var corpusCalls = map[string]func(context.Context, *behalf.Client, asked) (any, error){
	"parties": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		query := behalf.PartyQuery{User: a.user, Role: a.Role, Package: a.Package, Resource: a.Resource, Action: a.Action, Search: a.Search, PageSize: a.PageSize}
		all, err := behalf.Collect(c.Parties(ctx, query))
		return each(all, func(p *behalf.Party) any { return id(p.GetPartyId()) }), err
	},
	"party": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		p, err := c.Party(ctx, reference(a.PartyRef))
		return p.GetName(), err
	},
	"mayRepresent": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		return c.MayRepresent(ctx, a.user, a.party)
	},
	"representatives": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		all, err := behalf.Collect(c.Representatives(ctx, a.party, a.Role))
		return each(all, func(r *behalf.Representative) any { return id(r.GetUserId()) }), err
	},
	"roles": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		all, err := c.Roles(ctx, a.user, a.party)
		return each(all, func(r *behalf.Role) any { return r.GetCode() }), err
	},
	"caller": func(ctx context.Context, c *behalf.Client, _ asked) (any, error) {
		who, err := c.Caller(ctx)
		return map[string]any{"userId": id(who.GetUserId()), "level": who.GetLevel()}, err
	},
	"check": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		return c.Check(ctx, questionOf(a.Question))
	},
	"bulkCheck": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		var questions []behalf.Question
		for _, q := range a.Questions {
			questions = append(questions, questionOf(q))
		}
		answers, err := c.BulkCheck(ctx, questions...)
		return each(answers, func(answer behalf.Answer) any {
			if answer.Err != nil {
				return behalf.ReasonOf(answer.Err)
			}
			return answer.Allowed
		}), err
	},
	"decide": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		d, err := c.Decide(ctx, a.about().To(a.Action))
		duties := []string{}
		for _, o := range d.GetObligations() {
			for _, assignment := range o.GetAssignments() {
				duties = append(duties, assignment.GetCategory()+"="+assignment.GetValue())
			}
		}
		return map[string]any{"effect": d.GetEffect().String(), "obligations": duties}, err
	},
	"bulkDecide": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		var requests []behalf.Request
		for _, action := range a.Actions {
			requests = append(requests, a.about().To(action))
		}
		all, err := c.BulkDecide(ctx, requests...)
		return each(all, func(d *behalf.Decision) any { return d.GetEffect().String() }), err
	},
	"mayDelegate": func(ctx context.Context, c *behalf.Client, a asked) (any, error) {
		answers, err := c.MayDelegate(ctx, behalf.DelegationQuery{Party: a.party, User: a.user, Resource: a.Resource})
		may := []string{}
		for _, answer := range answers {
			if answer.GetMayDelegate() {
				may = append(may, answer.GetRight().GetAction())
			}
		}
		slices.Sort(may)
		return may, err
	},
}

// TestCorpus asks what the client in TypeScript is asked too.
func TestCorpus(t *testing.T) {
	all, err := corpus.Read()
	if err != nil || len(all.Asked) < 40 {
		t.Fatalf("%d questions, %v", len(all.Asked), err)
	}
	for _, question := range all.Asked {
		t.Run(question.Name, func(t *testing.T) {
			token := token
			if question.As != "" {
				if token, err = running.Credentials(question.As); err != nil {
					t.Fatal(err)
				}
			}
			call := corpusCalls[question.Call]
			if call == nil {
				t.Fatalf("no call %s", question.Call)
			}
			a := asked{question, behalf.UserID(number(t, question.User)), behalf.PartyID(number(t, question.Party))}
			got, err := call(t.Context(), dial(t).As(token), a)
			if err != nil {
				got = refused(err, question.Want)
			}
			if diff := cmp.Diff(plain(t, question.Want), plain(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func (a asked) about() behalf.Request {
	r := behalf.App(a.App[0], a.App[1]).For(a.party)
	if a.User == "" {
		return r
	}
	return r.ByUser(a.user)
}

// refused is what is compared of an error: the fields too where they are wanted.
func refused(err error, want json.RawMessage) any {
	got := map[string]any{"code": rpccode.Code_name[int32(behalf.CodeOf(err))], "reason": behalf.ReasonOf(err)}
	var wanted struct{ Fields []string }
	e, ok := errors.AsType[*behalf.Error](err)
	if ok && json.Unmarshal(want, &wanted) == nil && wanted.Fields != nil {
		got["fields"] = each(e.Violations, func(v behalf.Violation) any { return v.Field })
	}
	return got
}

func questionOf(q corpus.Question) behalf.Question {
	return behalf.Question{
		Object: behalf.Object(q.Object), Permission: q.Permission,
		Subject: behalf.Subject{Type: q.Subject.Type, ID: q.Subject.ID},
	}
}

func reference(r map[string]string) behalf.PartyRef {
	switch {
	case r["partyId"] != "":
		n, err := strconv.ParseInt(r["partyId"], 10, 64)
		if err != nil {
			panic(err)
		}
		return behalf.ByPartyID(behalf.PartyID(n))
	case r["orgNumber"] != "":
		return behalf.ByOrgNumber(r["orgNumber"])
	case r["nationalId"] != "":
		return behalf.ByNationalID(r["nationalId"])
	}
	return behalf.PartyRef{}
}

func each[E any](all []E, of func(E) any) []any {
	out := make([]any, len(all))
	for i, e := range all {
		out[i] = of(e)
	}
	return out
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func number(t *testing.T, text string) int64 {
	t.Helper()
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// plain returns a value as JSON has it.
func plain(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
