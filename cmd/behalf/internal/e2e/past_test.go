package e2e

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// changed is a register that has changed: user 7 was chair of party 1 until it expired, and
// user 8 until somebody took it from him. Then the server was started anew, so that memory
// knows nothing of all this.
type changed struct {
	*instance
	made    string    // the revision that made it
	expires time.Time // when it ended for user 7
	head    string
}

func (i *instance) permissions() v1.PermissionsServiceClient {
	return v1.NewPermissionsServiceClient(i.conn)
}

func chair(user string, expires time.Time) *v1.Relationship {
	r := &v1.Relationship{
		Resource: &v1.ObjectReference{ObjectType: "party", ObjectId: "1"},
		Relation: "lede",
		Subject:  &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: user}},
	}
	if !expires.IsZero() {
		r.OptionalExpiresAt = timestamppb.New(expires)
	}
	return r
}

func (i *instance) write(t testing.TB, op v1.RelationshipUpdate_Operation, relationships ...*v1.Relationship) string {
	t.Helper()
	request := &v1.WriteRelationshipsRequest{}
	for _, r := range relationships {
		request.Updates = append(request.Updates, &v1.RelationshipUpdate{Operation: op, Relationship: r})
	}
	written, err := i.permissions().WriteRelationships(as(t.Context(), i.admin), request)
	if err != nil {
		t.Fatal(err)
	}
	return written.GetWrittenAt().GetToken()
}

func startChanged(t testing.TB) changed {
	t.Helper()
	if *datastoreFlag != server.DatastoreSQLite {
		t.Skip("states are rebuilt from the file of the embedded store")
	}
	dir := t.TempDir()
	i := startIn(t, dir, nil)
	c := changed{expires: time.Now().Add(2 * time.Second).Truncate(time.Millisecond)}
	c.made = i.write(t, v1.RelationshipUpdate_OPERATION_TOUCH, chair("7", c.expires), chair("8", time.Time{}))
	for time.Now().Before(c.expires) { // its expiry is the subject
		time.Sleep(time.Until(c.expires))
	}
	c.head = i.write(t, v1.RelationshipUpdate_OPERATION_DELETE, chair("8", time.Time{}))
	i.stop()
	c.instance = startIn(t, dir, nil)
	return c
}

func TestPastByCommand(t *testing.T) {
	c := startChanged(t)
	before, after := c.expires.Add(-time.Millisecond).Format(time.RFC3339Nano), c.expires.Format(time.RFC3339Nano)
	for _, q := range []struct {
		want string
		args []string
	}{
		{"false\n", []string{"check", "party:1", "represent", "user:7"}},
		{"false\n", []string{"check", "party:1", "represent", "user:8"}},
		{"true\n", []string{"check", "party:1", "represent", "user:7", "--at", c.made}},
		{"true\n", []string{"check", "party:1", "has_lede", "user:8", "--at", c.made}},
		{"true\n", []string{"check", "party:1", "represent", "user:7", "--at", before}},
		{"false\n", []string{"check", "party:1", "represent", "user:7", "--at", after}},
		{"true\n", []string{"check", "party:1", "represent", "user:8", "--at", after}},
		{"false\n", []string{"check", "party:1", "represent", "user:8", "--at", c.head}},
		{"", []string{"roles", "--party", "1", "--user", "7"}},
		{"", []string{"roles", "--party", "1", "--user", "7", "--at", after}},
	} {
		if got := c.run(t, q.args...); got != q.want {
			t.Errorf("behalf %q: %q, want %q", q.args, got, q.want)
		}
	}
	if got := c.run(t, "roles", "--party", "1", "--user", "7", "--at", before); !strings.Contains(got, "LEDE\n") {
		t.Errorf("the roles of then: %q", got)
	}
	if got := c.run(t, "parties", "--user", "7", "--at", before); !strings.Contains(got, "\n1 ") {
		t.Errorf("the parties of then: %q", got)
	}
	if got := c.run(t, "parties", "--user", "7"); strings.Contains(got, "\n1 ") {
		t.Errorf("the parties of now: %q", got)
	}
	for at, want := range map[string]string{
		"2020-01-01T00:00:00Z": "HISTORY_EXPIRED",
		"2999-01-01T00:00:00Z": "INVALID_ARGUMENT",
		"2026-01-01":           "neither a time",
		"x":                    "INVALID_REVISION",
	} {
		code, _, said := behalf(t, c.reach([]string{"check", "party:1", "represent", "user:7", "--at", at})...)
		if code == 0 || !strings.Contains(said, want) {
			t.Errorf("--at %s: exit code %d, %q; want %s", at, code, said, want)
		}
	}
}

// TestPastKeepsInstantsApart asks about two instants of one revision at once, between which a
// relationship expired. SpiceDB shares answers among questions at one revision.
func TestPastKeepsInstantsApart(t *testing.T) {
	c := startChanged(t)
	check := behalfv1.NewCheckServiceClient(c.conn)
	var group sync.WaitGroup
	for n := range 400 {
		group.Go(func() {
			at, want := c.expires, false
			if n%2 == 0 {
				at, want = c.expires.Add(-time.Millisecond), true
			}
			answer, err := check.Check(as(t.Context(), c.admin), &behalfv1.CheckRequest{
				Question: &behalfv1.CheckQuestion{
					Object:     &behalfv1.ObjectReference{Type: "party", Id: "1"},
					Permission: "represent",
					Subject:    &behalfv1.SubjectReference{Type: "user", Id: "7"},
				},
				AtTime: timestamppb.New(at),
			})
			if err != nil || answer.GetAllowed() != want {
				t.Errorf("at %s: %v, %v; want %t", at, answer, err, want)
			}
		})
	}
	group.Wait()
}

func TestPastIsGuarded(t *testing.T) {
	c := startChanged(t)
	reader := c.key(t, "behalf:check", "behalf:relations.read")
	question := &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: "party", Id: "1"},
		Permission: "represent",
		Subject:    &behalfv1.SubjectReference{Type: "user", Id: "7"},
	}
	check := behalfv1.NewCheckServiceClient(c.conn)
	for name, r := range map[string]*behalfv1.CheckRequest{
		"revision": {AtRevision: c.made},
		"time":     {AtTime: timestamppb.New(c.expires.Add(-time.Millisecond))},
	} {
		r.Question = question
		if answer, err := check.Check(as(t.Context(), c.admin), r); err != nil || !answer.GetAllowed() {
			t.Errorf("%s, administrator: %v, %v", name, answer, err)
		}
		_, err := check.Check(as(t.Context(), reader), r)
		wantStatus(t, name+", a service without the scope", err, codes.PermissionDenied, "SCOPE_MISSING")
		_, err = check.Check(as(t.Context(), c.userToken(t, 7, 0)), &behalfv1.CheckRequest{
			Question: &behalfv1.CheckQuestion{Object: question.GetObject(), Permission: "represent"}, AtRevision: r.GetAtRevision(), AtTime: r.GetAtTime(),
		})
		wantStatus(t, name+", a user", err, codes.PermissionDenied, "SCOPE_MISSING")
	}
	_, err := check.Check(as(t.Context(), c.admin), &behalfv1.CheckRequest{Question: question, AtRevision: c.made, AtLeastAsFresh: c.made})
	wantStatus(t, "two ways at once", err, codes.InvalidArgument, "INVALID_ARGUMENT")
	_, err = check.Check(as(t.Context(), c.admin), &behalfv1.CheckRequest{Question: question, AtTime: timestamppb.New(time.Unix(1, 0))})
	wantStatus(t, "before it all", err, codes.OutOfRange, "HISTORY_EXPIRED")
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetMetadata()["oldest_revision"] != "" {
			if _, err := check.Check(as(t.Context(), c.admin), &behalfv1.CheckRequest{Question: question, AtRevision: info.GetMetadata()["oldest_revision"]}); err != nil && status.Code(err) == codes.OutOfRange {
				t.Errorf("at the oldest revision that was named: %v", err)
			}
		}
	}

	// A bulk check, over REST.
	body := `{"questions":[{"object":{"type":"party","id":"1"},"permission":"represent","subject":{"type":"user","id":"8"}}],"at_revision":"` + c.made + `"}`
	if got := c.call(t, http.MethodPost, "/v1/check/bulk", c.admin, body); got.status != http.StatusOK || !strings.Contains(string(got.body), "true") {
		t.Errorf("bulk check: %d %s", got.status, got.body)
	}
	query := "/v1/parties/1/validate?user_id=8&at_time=" + url.QueryEscape(c.expires.UTC().Format(time.RFC3339Nano))
	if got := c.call(t, http.MethodGet, query, c.admin, ""); got.status != http.StatusOK || !strings.Contains(string(got.body), "true") {
		t.Errorf("validate: %d %s", got.status, got.body)
	}
}

// TestPastOnSpiceDBsAPI asks at exact snapshots that memory no longer has.
func TestPastOnSpiceDBsAPI(t *testing.T) {
	c := startChanged(t)
	reader := c.key(t, "behalf:relations.read")
	admin, other := as(t.Context(), c.admin), as(t.Context(), reader)
	exact := func(token string) *v1.Consistency {
		return &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: &v1.ZedToken{Token: token}}}
	}
	check := func(ctx context.Context, at *v1.Consistency) (*v1.CheckPermissionResponse, error) {
		return c.permissions().CheckPermission(ctx, &v1.CheckPermissionRequest{
			Consistency: at, Resource: chair("7", time.Time{}).GetResource(), Permission: "represent", Subject: chair("7", time.Time{}).GetSubject(),
		})
	}
	seen, err := check(admin, exact(c.made))
	if err != nil || seen.GetPermissionship() != v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION {
		t.Fatalf("at the old snapshot: %v, %v", seen, err)
	}
	_, err = check(other, exact(c.made))
	wantStatus(t, "without the scope", err, codes.PermissionDenied, "SCOPE_MISSING")

	// The token that comes back names the same state, and lets nobody else in.
	again, err := check(admin, exact(seen.GetCheckedAt().GetToken()))
	if err != nil || again.GetPermissionship() != seen.GetPermissionship() {
		t.Errorf("at the token of the answer: %v, %v", again, err)
	}
	_, err = check(other, exact(seen.GetCheckedAt().GetToken()))
	wantStatus(t, "by the token of the answer", err, codes.PermissionDenied, "SCOPE_MISSING")
	fresh, err := check(other, &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: seen.GetCheckedAt()}})
	if err != nil || fresh.GetPermissionship() != v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION {
		t.Errorf("at least as fresh as the past: %v, %v", fresh, err)
	}

	// What memory has is anybody's, and expired is expired.
	now, err := check(other, exact(c.head))
	if err != nil || now.GetPermissionship() != v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION {
		t.Errorf("at the head: %v, %v", now, err)
	}

	first, cursor := c.page(admin, t, exact(c.made), nil)
	rest, _ := c.page(admin, t, exact(c.made), cursor)
	if users := slices.Sorted(slices.Values(append(first, rest...))); !slices.Equal(users, []string{"7", "8"}) {
		t.Errorf("two pages of the past have %v and %v", first, rest)
	}
	stream, err := c.permissions().ReadRelationships(other, pageRequest(exact(c.made), cursor))
	if err == nil {
		_, err = stream.Recv()
	}
	wantStatus(t, "by another's cursor", err, codes.PermissionDenied, "SCOPE_MISSING")

	_, err = check(admin, exact("GgUKAzk5OQ==")) // revision 999, which nobody was given
	if err == nil {
		t.Error("a snapshot that never was is read")
	}
}

func pageRequest(at *v1.Consistency, after *v1.Cursor) *v1.ReadRelationshipsRequest {
	return &v1.ReadRelationshipsRequest{
		Consistency: at, RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party", OptionalRelation: "lede"}, OptionalLimit: 1, OptionalCursor: after,
	}
}

// page reads one relationship and returns its subject, and where to go on.
func (c changed) page(ctx context.Context, t testing.TB, at *v1.Consistency, after *v1.Cursor) (users []string, next *v1.Cursor) {
	t.Helper()
	stream, err := c.permissions().ReadRelationships(ctx, pageRequest(at, after))
	if err != nil {
		t.Fatal(err)
	}
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return users, next
		}
		if err != nil {
			t.Fatal(err)
		}
		users, next = append(users, r.GetRelationship().GetSubject().GetObject().GetObjectId()), r.GetAfterResultCursor()
	}
}

// TestNoPastOnPostgres shows what is said where only SpiceDB's own window is.
func TestNoPastOnPostgres(t *testing.T) {
	uri := pg.Database(t)
	i := startOn(t, uri, filepath.Join(t.TempDir(), "data"), nil)
	made := i.write(t, v1.RelationshipUpdate_OPERATION_TOUCH, chair("8", time.Time{}))
	i.write(t, v1.RelationshipUpdate_OPERATION_DELETE, chair("8", time.Time{}))
	if got := i.run(t, "check", "party:1", "represent", "user:8", "--at", made); got != "true\n" {
		t.Errorf("at a revision: %q", got)
	}
	if got := i.run(t, "check", "party:1", "represent", "user:8"); got != "false\n" {
		t.Errorf("now: %q", got)
	}
	code, _, said := behalf(t, i.reach([]string{"check", "party:1", "represent", "user:8", "--at", "2026-01-01T00:00:00Z"})...)
	if code == 0 || !strings.Contains(said, "HISTORY_UNSUPPORTED") {
		t.Errorf("at a time: exit code %d, %q", code, said)
	}
}

// key returns a new API key with scopes.
func (i *instance) key(t testing.TB, scopes ...string) string {
	t.Helper()
	got := i.call(t, http.MethodPost, "/v1/apikeys", i.admin, `{"name":"reader","scopes":["`+strings.Join(scopes, `","`)+`"]}`)
	var made struct {
		Secret string
	}
	got.decode(t, &made)
	if made.Secret == "" {
		t.Fatalf("no key was made: %d %s", got.status, got.body)
	}
	return made.Secret
}

func wantStatus(t testing.TB, what string, err error, code codes.Code, reason string) {
	t.Helper()
	got := ""
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			got = info.GetReason()
		}
	}
	if status.Code(err) != code || got != reason {
		t.Errorf("%s: %v (%s); want %s %s", what, err, got, code, reason)
	}
}
