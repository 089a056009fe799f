package behalf_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/internal/testserver"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// brought remembers the revision that the last decision was asked at least as fresh as.
type brought struct {
	mu    sync.Mutex
	fresh string
}

func (b *brought) intercept(ctx context.Context, method string, args, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if r, ok := args.(interface{ GetAtLeastAsFresh() string }); ok {
		b.mu.Lock()
		b.fresh = r.GetAtLeastAsFresh()
		b.mu.Unlock()
	}
	return invoke(ctx, method, args, reply, conn, options...)
}

// TestSessionReadsItsWrites gives a right and takes it back, and asks after each.
func TestSessionReadsItsWrites(t *testing.T) {
	var last brought
	c := dial(t, behalf.WithDialOptions(grpc.WithUnaryInterceptor(last.intercept)))
	s := c.Session("")
	if c.Revision() != "" || s.Revision() != "" {
		t.Errorf("revisions %q, %q before anything was asked", c.Revision(), s.Revision())
	}
	ask := behalf.App(testserver.Org, testserver.App).For(bakery).To("read").ByUser(ola)
	effect := func(want behalf.Effect) {
		t.Helper()
		before := s.Revision()
		d, err := s.Decide(t.Context(), ask)
		if err != nil || d.GetEffect() != want {
			t.Errorf("decided %v, %v; want %v", d, err, want)
		}
		if last.fresh != before || s.Revision() == "" {
			t.Errorf("brought %q, not %q; now %q", last.fresh, before, s.Revision())
		}
	}
	effect(behalf.NotApplicable)
	grant := behalf.Grant{From: behalf.ByPartyID(bakery), To: behalf.ToParty(behalf.ByPartyID(testserver.OlaParty)), Expires: time.Now().Add(time.Hour), User: kari}
	before := s.Revision()
	given, err := s.GrantRight(t.Context(), grant, behalf.Right{Resource: "app_skd_taxreport", Action: "read"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Revision() == before {
		t.Error("the session has not taken the write's revision")
	}
	effect(behalf.Permit)
	listed, err := behalf.Collect(s.Delegations(t.Context(), bakery, behalf.Given, kari))
	if err != nil || len(listed) != 1 || listed[0].GetId() != given.GetId() {
		t.Errorf("listed %v, %v", listed, err)
	}
	if err := s.Revoke(t.Context(), given.GetId(), kari); err != nil {
		t.Fatal(err)
	}
	effect(behalf.NotApplicable)
	if later := c.Session(s.Revision()); later.Revision() != s.Revision() || c.Revision() != "" {
		t.Error("a session does not go on where it is told to, or shares its revision with its client")
	}
	if _, err := c.Session("nonsense").Decide(t.Context(), ask); behalf.ReasonOf(err) != behalf.ReasonInvalidRevision {
		t.Errorf("a revision that is none: %v", err)
	}
}

func TestDelegations(t *testing.T) {
	c := dial(t)
	answers, err := c.MayDelegate(t.Context(), behalf.DelegationQuery{Party: bakery, User: kari, Resource: "app_skd_taxreport"})
	if err != nil || len(answers) != 3 || !answers[0].GetMayDelegate() {
		t.Errorf("kari: %v, %v", answers, err)
	}
	answers, err = c.MayDelegate(t.Context(), behalf.DelegationQuery{Party: bakery, User: ola, Resource: "app_skd_taxreport"})
	for _, a := range answers {
		if a.GetMayDelegate() || a.GetReason() == "" {
			t.Errorf("ola: %v", a)
		}
	}
	if err == nil && len(answers) != 3 {
		t.Errorf("ola: %v", answers)
	}
	grant := behalf.Grant{From: behalf.ByPartyID(bakery), To: behalf.ToParty(behalf.ByPartyID(testserver.OlaParty)), User: ola}
	if _, err := c.GrantPackage(t.Context(), grant, "jordbruk"); behalf.CodeOf(err) != codes.PermissionDenied {
		t.Errorf("ola gives what is not his: %v", err)
	}
	grant.User = kari
	given, err := c.GrantPackage(t.Context(), grant, "jordbruk")
	if err != nil {
		t.Fatal(err)
	}
	if got := given.GetPackage(); !strings.HasSuffix(got, "jordbruk") {
		t.Errorf("given %s", got)
	}
	if _, err := c.GrantClientPackage(t.Context(), behalf.ByPartyID(testserver.Stranger), grant, "jordbruk"); behalf.CodeOf(err) != codes.PermissionDenied && behalf.CodeOf(err) != codes.FailedPrecondition && behalf.CodeOf(err) != codes.InvalidArgument {
		t.Errorf("a package of no client: %v", err)
	}
	if err := c.Revoke(t.Context(), given.GetId(), kari); err != nil {
		t.Error(err)
	}
}

func TestBulkDecide(t *testing.T) {
	c := dial(t)
	about := behalf.App(testserver.Org, testserver.App).For(bakery)
	decisions, err := c.BulkDecide(t.Context(), about.To("read").ByUser(kari), about.To("read").ByUser(ola), about.To("write").ByUser(kari), about.To("fly").ByUser(kari))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []behalf.Effect{behalf.Permit, behalf.NotApplicable, behalf.Permit, behalf.NotApplicable} {
		if got := decisions[i].GetEffect(); got != want {
			t.Errorf("decision %d: %s (%s), want %s", i, got, decisions[i].GetReason(), want)
		}
	}
	if len(decisions[2].GetObligations()) != 1 {
		t.Errorf("obligations of write: %v", decisions[2].GetObligations())
	}
	if none, err := c.BulkDecide(t.Context()); none != nil || err != nil {
		t.Errorf("no request: %v, %v", none, err)
	}
}

// short is a connection whose server leaves out answers.
type short struct{ grpc.ClientConnInterface }

func (short) Invoke(_ context.Context, method string, _, reply any, _ ...grpc.CallOption) error {
	switch r := reply.(type) {
	case *behalfv1.BulkCheckResponse:
		r.Answers = []*behalfv1.BulkCheckAnswer{{Allowed: true}}
	case *behalfv1.BulkDecideResponse:
		r.Decisions = []*behalfv1.Decision{{Effect: behalf.Permit}}
	case *behalfv1.CheckResponse, *behalfv1.DecideResponse: // the zero answer
	default:
		return errors.New(method)
	}
	return nil
}

// TestAnswersThatAreNone holds that missing and zero answers let nobody in.
func TestAnswersThatAreNone(t *testing.T) {
	c := behalf.New(short{})
	if answers, err := c.BulkCheck(t.Context(), represents(kari, bakery), represents(ola, bakery)); answers != nil || err == nil {
		t.Errorf("one answer to two questions: %v, %v", answers, err)
	}
	if decisions, err := c.BulkDecide(t.Context(), behalf.Request{}, behalf.Request{}); decisions != nil || err == nil {
		t.Errorf("one decision on two requests: %v, %v", decisions, err)
	}
	if allowed, err := c.Check(t.Context(), represents(kari, bakery)); allowed || err != nil {
		t.Errorf("the zero answer: %v, %v", allowed, err)
	}
	if d, err := c.Decide(t.Context(), behalf.Request{}); d.GetEffect() != behalf.Indeterminate || err != nil {
		t.Errorf("the zero answer: %v, %v", d, err)
	}
}
