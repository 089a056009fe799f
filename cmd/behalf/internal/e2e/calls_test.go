package e2e

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// Identities of the tables of refused calls.
const (
	nobody  = ""
	garbage = "no-token"
)

// identities are the bearer tokens of a table, by name.
type identities struct{ user, other, expired, admin, noScope, checkOnly string }

func makeIdentities(t *testing.T, i *instance) identities {
	t.Helper()
	sign := func(claims map[string]any, ttl time.Duration) string {
		token, err := server.SignToken(i.dataDir, claims, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	return identities{
		user:      i.userToken(t, 20010001, 50010001),
		other:     i.userToken(t, 20010002, 50010002),
		expired:   sign(map[string]any{"urn:altinn:userid": 20010001, "exp": time.Now().Add(-time.Second).Unix()}, 0),
		admin:     i.admin,
		noScope:   sign(map[string]any{"sub": "nobody in particular"}, time.Hour),
		checkOnly: sign(map[string]any{"sub": "checker", "scope": "behalf:check"}, time.Hour),
	}
}

func party(id int64) *behalfv1.PartyReference {
	return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: id}}
}

func question(object, id, permission string) *behalfv1.CheckQuestion {
	return &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: object, Id: id},
		Permission: permission,
		Subject:    &behalfv1.SubjectReference{Type: "user", Id: "20010001"},
	}
}

func person(id int64, edit func(*behalfv1.PartyRecord)) *behalfv1.PutPartyRequest {
	record := &behalfv1.PartyRecord{PartyId: id, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "WRITTEN BY MISTAKE", NationalId: "01817012345"}
	edit(record)
	return &behalfv1.PutPartyRequest{Source: "test", Party: record}
}

func same(*behalfv1.PartyRecord) {}

// TestRefusedCallsGRPC makes malformed and unauthorized calls: each has its status and its
// machine-readable reason, and none writes anything.
func TestRefusedCallsGRPC(t *testing.T) {
	i := start(t)
	loadDemo(t, i)
	id := makeIdentities(t, i)
	parties, roles, checks := behalfv1.NewPartyServiceClient(i.conn), behalfv1.NewRoleServiceClient(i.conn), behalfv1.NewCheckServiceClient(i.conn)
	register, callers := behalfv1.NewRegisterServiceClient(i.conn), behalfv1.NewCallerServiceClient(i.conn)
	permissions := v1.NewPermissionsServiceClient(i.conn)

	list := func(req *behalfv1.ListPartiesRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := parties.ListParties(ctx, req); return err }
	}
	validate := func(req *behalfv1.ValidatePartyRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := parties.ValidateParty(ctx, req); return err }
	}
	check := func(q *behalfv1.CheckQuestion) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := checks.Check(ctx, &behalfv1.CheckRequest{Question: q})
			return err
		}
	}
	put := func(req *behalfv1.PutPartyRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := register.PutParty(ctx, req); return err }
	}
	assign := func(source string, a *behalfv1.AssignmentRecord) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := register.PutAssignment(ctx, &behalfv1.PutAssignmentRequest{Source: source, Assignment: a})
			return err
		}
	}
	listRoles := func(req *behalfv1.ListRolesRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := roles.ListRoles(ctx, req); return err }
	}
	createKey := func(req *behalfv1.CreateAPIKeyRequest) func(context.Context) error {
		return func(ctx context.Context) error { _, err := callers.CreateAPIKey(ctx, req); return err }
	}
	dagl := &behalfv1.AssignmentRecord{From: "party:50020001", Role: "DAGL", To: "party:50010002"}

	for _, c := range []struct {
		name   string
		token  string
		call   func(context.Context) error
		code   codes.Code
		reason string
		field  string // a violation's field, when one is named
	}{
		{"list without token", nobody, list(&behalfv1.ListPartiesRequest{}), codes.Unauthenticated, "CREDENTIALS_MISSING", ""},
		{"list with garbage", garbage, list(&behalfv1.ListPartiesRequest{}), codes.Unauthenticated, "CREDENTIALS_INVALID", ""},
		{"list with an expired token", id.expired, list(&behalfv1.ListPartiesRequest{}), codes.Unauthenticated, "CREDENTIALS_INVALID", ""},
		{"list of another user", id.user, list(&behalfv1.ListPartiesRequest{UserId: 20010002}), codes.PermissionDenied, "OTHER_USER", ""},
		{"list without scope", id.checkOnly, list(&behalfv1.ListPartiesRequest{UserId: 20010002}), codes.PermissionDenied, "SCOPE_MISSING", ""},
		{"list by a service that names nobody", id.admin, list(&behalfv1.ListPartiesRequest{}), codes.InvalidArgument, "USER_REQUIRED", "user_id"},
		{"list of a negative user", id.admin, list(&behalfv1.ListPartiesRequest{UserId: -1}), codes.InvalidArgument, "INVALID_ARGUMENT", "user_id"},
		{"page too large", id.user, list(&behalfv1.ListPartiesRequest{PageSize: 10001}), codes.InvalidArgument, "INVALID_ARGUMENT", "page_size"},
		{"page token made up", id.user, list(&behalfv1.ListPartiesRequest{PageSize: 1, PageToken: "x"}), codes.InvalidArgument, "INVALID_PAGE_TOKEN", "page_token"},
		{"unknown role filter", id.user, list(&behalfv1.ListPartiesRequest{Role: "KING"}), codes.InvalidArgument, "UNKNOWN_ROLE", "role"},
		{"order out of range", id.user, list(&behalfv1.ListPartiesRequest{Order: 99}), codes.InvalidArgument, "INVALID_ARGUMENT", "order"},
		{"revision made up", id.user, list(&behalfv1.ListPartiesRequest{AtLeastAsFresh: "yesterday"}), codes.InvalidArgument, "INVALID_REVISION", ""},
		{"validate no party", id.user, validate(&behalfv1.ValidatePartyRequest{}), codes.InvalidArgument, "INVALID_ARGUMENT", "party_id"},
		{"validate for another", id.user, validate(&behalfv1.ValidatePartyRequest{PartyId: 50020001, UserId: 20010002}), codes.PermissionDenied, "OTHER_USER", ""},
		{"roles of another", id.other, listRoles(&behalfv1.ListRolesRequest{PartyId: 50020001, UserId: 20010001}), codes.PermissionDenied, "OTHER_USER", ""},
		{"roles without scope", id.checkOnly, listRoles(&behalfv1.ListRolesRequest{PartyId: 50020001, UserId: 20010001}), codes.PermissionDenied, "SCOPE_MISSING", ""},
		{"get by nothing", id.admin, func(ctx context.Context) error {
			_, err := parties.GetParty(ctx, &behalfv1.GetPartyRequest{})
			return err
		}, codes.InvalidArgument, "INVALID_ARGUMENT", "party"},
		{"get an unknown party", id.admin, func(ctx context.Context) error {
			_, err := parties.GetParty(ctx, &behalfv1.GetPartyRequest{Party: party(1)})
			return err
		}, codes.NotFound, "PARTY_NOT_FOUND", ""},
		{"get a party one may not represent", id.user, func(ctx context.Context) error {
			_, err := parties.GetParty(ctx, &behalfv1.GetPartyRequest{Party: party(50020005)})
			return err
		}, codes.PermissionDenied, "PARTY_NOT_REPRESENTED", ""},
		{"get a party that does not exist, as a user", id.user, func(ctx context.Context) error {
			_, err := parties.GetParty(ctx, &behalfv1.GetPartyRequest{Party: party(1)})
			return err
		}, codes.PermissionDenied, "PARTY_NOT_REPRESENTED", ""},
		{"representatives, as a user", id.user, func(ctx context.Context) error {
			_, err := parties.ListRepresentatives(ctx, &behalfv1.ListRepresentativesRequest{PartyId: 50020001})
			return err
		}, codes.PermissionDenied, "SERVICES_ONLY", ""},
		{"check nothing", id.admin, check(nil), codes.InvalidArgument, "INVALID_ARGUMENT", "question"},
		{"check a bad object id", id.admin, check(question("party", "a b", "represent")), codes.InvalidArgument, "INVALID_ARGUMENT", "question.object.id"},
		{"check an unknown definition", id.admin, check(question("castle", "1", "represent")), codes.InvalidArgument, "UNKNOWN_RELATION", ""},
		{"check an unknown permission", id.admin, check(question("party", "1", "conquer")), codes.InvalidArgument, "UNKNOWN_RELATION", ""},
		{"check another, as a user", id.other, check(question("party", "50020001", "represent")), codes.PermissionDenied, "OTHER_USER", ""},
		{"check without scope", id.noScope, check(question("party", "50020001", "represent")), codes.PermissionDenied, "SCOPE_MISSING", ""},
		{"bulk check nothing", id.admin, func(ctx context.Context) error {
			_, err := checks.BulkCheck(ctx, &behalfv1.BulkCheckRequest{})
			return err
		}, codes.InvalidArgument, "INVALID_ARGUMENT", "questions"},
		{"put a party, as a user", id.user, put(person(59000001, same)), codes.PermissionDenied, "SERVICES_ONLY", ""},
		{"put a party without scope", id.checkOnly, put(person(59000001, same)), codes.PermissionDenied, "SCOPE_MISSING", ""},
		{"put a party without token", nobody, put(person(59000001, same)), codes.Unauthenticated, "CREDENTIALS_MISSING", ""},
		{"put a party without name", id.admin, put(person(59000001, func(r *behalfv1.PartyRecord) { r.Name = "" })), codes.InvalidArgument, "INVALID_ARGUMENT", "party.name"},
		{"put a party with a bad national id", id.admin, put(person(59000001, func(r *behalfv1.PartyRecord) { r.NationalId = "1" })), codes.InvalidArgument, "INVALID_ARGUMENT", "party.national_id"},
		{"put a person with an organisation number", id.admin, put(person(59000001, func(r *behalfv1.PartyRecord) { r.OrgNumber = "910042963" })), codes.InvalidArgument, "INVALID_ARGUMENT", "party.org_number"},
		{"put a party born on no day", id.admin, put(person(59000001, func(r *behalfv1.PartyRecord) { r.BirthDate = "2001-02-30" })), codes.InvalidArgument, "INVALID_ARGUMENT", "party.birth_date"},
		{"put a party of no kind", id.admin, put(person(59000001, func(r *behalfv1.PartyRecord) { r.Kind = 0 })), codes.InvalidArgument, "INVALID_ARGUMENT", "party.kind"},
		{"put a party with a bad source", id.admin, func(ctx context.Context) error {
			req := person(59000001, same)
			req.Source = "No Source"
			_, err := register.PutParty(ctx, req)
			return err
		}, codes.InvalidArgument, "INVALID_ARGUMENT", "source"},
		{"put a sub-unit without main unit", id.admin, put(person(59000001, func(r *behalfv1.PartyRecord) {
			r.Kind, r.NationalId, r.OrgNumber, r.UnitType = behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, "", "310099999", "BEDR"
		})), codes.InvalidArgument, "INVALID_ARGUMENT", "party.main_unit"},
		{"assign an unknown role", id.admin, assign("test", &behalfv1.AssignmentRecord{From: "party:50020001", Role: "KING", To: "party:50010002"}), codes.InvalidArgument, "UNKNOWN_ROLE", "assignment.role"},
		{"assign to an unknown party", id.admin, assign("test", &behalfv1.AssignmentRecord{From: "party:50020001", Role: "DAGL", To: "party:1"}), codes.NotFound, "PARTY_NOT_FOUND", ""},
		{"assign from a bad reference", id.admin, assign("test", &behalfv1.AssignmentRecord{From: "50020001", Role: "DAGL", To: "party:50010002"}), codes.InvalidArgument, "INVALID_ARGUMENT", "assignment.from"},
		{"assign, as a user", id.user, assign("test", dagl), codes.PermissionDenied, "SERVICES_ONLY", ""},
		{"delete an unknown party", id.admin, func(ctx context.Context) error {
			_, err := register.DeleteParty(ctx, &behalfv1.DeletePartyRequest{Party: party(1)})
			return err
		}, codes.NotFound, "PARTY_NOT_FOUND", ""},
		{"join a person with an organisation", id.admin, func(ctx context.Context) error {
			_, err := register.JoinPersons(ctx, &behalfv1.JoinPersonsRequest{From: party(50010001), Into: party(50020001)})
			return err
		}, codes.InvalidArgument, "INVALID_ARGUMENT", "into"},
		{"make a key with an unknown scope", id.admin, createKey(&behalfv1.CreateAPIKeyRequest{Name: "k", Scopes: []string{"behalf:everything"}}), codes.InvalidArgument, "INVALID_ARGUMENT", "scopes[0]"},
		{"make a key without scopes", id.admin, createKey(&behalfv1.CreateAPIKeyRequest{Name: "k"}), codes.InvalidArgument, "INVALID_ARGUMENT", "scopes"},
		{"make a key, as a service", id.checkOnly, createKey(&behalfv1.CreateAPIKeyRequest{Name: "k", Scopes: []string{"behalf:admin"}}), codes.PermissionDenied, "SCOPE_MISSING", ""},
		{"write a relationship, as a user", id.user, func(ctx context.Context) error {
			_, err := permissions.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{})
			return err
		}, codes.PermissionDenied, "SERVICES_ONLY", ""},
		{"check a permission without scope", id.checkOnly, func(ctx context.Context) error {
			_, err := permissions.CheckPermission(ctx, &v1.CheckPermissionRequest{})
			return err
		}, codes.PermissionDenied, "SCOPE_MISSING", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := i.head(t)
			err := c.call(as(t.Context(), c.token))
			s := status.Convert(err)
			reason, fields := details(s)
			if s.Code() != c.code || reason != c.reason {
				t.Errorf("got %s %s (%s), want %s %s", s.Code(), reason, s.Message(), c.code, c.reason)
			}
			if c.field != "" && !slices.Contains(fields, c.field) {
				t.Errorf("violations name %q, want %q", fields, c.field)
			}
			if after := i.head(t); after != before {
				t.Errorf("the call wrote: revision %s became %s", before, after)
			}
		})
	}
}

// details returns the reason and the violated fields of a status.
func details(s *status.Status) (reason string, fields []string) {
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			reason = d.GetReason()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	return reason, fields
}

// head returns what changes with every write of relations, and with nothing else: the revision
// that a read sees now, and on Postgres, where a revision moves on with each of its own
// transactions, such as those that clean up, the last transaction that wrote.
func (i *instance) head(t testing.TB) string {
	t.Helper()
	if *datastoreFlag != server.DatastoreSQLite {
		return lastWrite(t, datastoreOf(t, i.dataDir))
	}
	res, err := behalfv1.NewPartyServiceClient(i.conn).ValidateParty(as(t.Context(), i.admin), &behalfv1.ValidatePartyRequest{PartyId: 1, UserId: 1})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetRevision()
}

// TestRefusedCallsREST is the same over HTTP.
func TestRefusedCallsREST(t *testing.T) {
	i := start(t)
	loadDemo(t, i)
	id := makeIdentities(t, i)
	const check = `{"question":{"object":{"type":"party","id":"50020001"},"permission":"represent"}}`
	for _, c := range []struct {
		name, token, method, path, body string

		status int
		reason string
	}{
		{"list without token", nobody, "GET", "/v1/parties", "", 401, "CREDENTIALS_MISSING"},
		{"list with garbage", garbage, "GET", "/v1/parties", "", 401, "CREDENTIALS_INVALID"},
		{"list with an expired token", id.expired, "GET", "/v1/parties", "", 401, "CREDENTIALS_INVALID"},
		{"list of another user", id.user, "GET", "/v1/parties?user_id=20010002", "", 403, "OTHER_USER"},
		{"list without scope", id.checkOnly, "GET", "/v1/parties?user_id=20010002", "", 403, "SCOPE_MISSING"},
		{"a service names nobody", id.admin, "GET", "/v1/parties", "", 400, "USER_REQUIRED"},
		{"page size is no number", id.user, "GET", "/v1/parties?page_size=ten", "", 400, "INVALID_ARGUMENT"},
		{"page too large", id.user, "GET", "/v1/parties?page_size=10001", "", 400, "INVALID_ARGUMENT"},
		{"page token made up", id.user, "GET", "/v1/parties?page_token=x", "", 400, "INVALID_PAGE_TOKEN"},
		{"unknown role filter", id.user, "GET", "/v1/parties?role=KING", "", 400, "UNKNOWN_ROLE"},
		{"unknown query parameter", id.user, "GET", "/v1/parties?user=1", "", 400, "INVALID_ARGUMENT"},
		{"party id is no number", id.user, "GET", "/v1/parties/x/validate", "", 400, "INVALID_ARGUMENT"},
		{"party unknown", id.admin, "GET", "/v1/parties/1", "", 404, "PARTY_NOT_FOUND"},
		{"party not represented", id.user, "GET", "/v1/parties/50020005", "", 403, "PARTY_NOT_REPRESENTED"},
		{"representatives, as a user", id.user, "GET", "/v1/parties/50020001/representatives", "", 403, "SERVICES_ONLY"},
		{"check without body", id.user, "POST", "/v1/check", "", 400, "INVALID_ARGUMENT"},
		{"check with half a body", id.user, "POST", "/v1/check", `{"question":`, 400, "INVALID_ARGUMENT"},
		{"check with an unknown field", id.user, "POST", "/v1/check", `{"query":{}}`, 400, "INVALID_ARGUMENT"},
		{"check with a wrong type", id.user, "POST", "/v1/check", `{"question":7}`, 400, "INVALID_ARGUMENT"},
		{"check with token in no header", nobody, "POST", "/v1/check?access_token=" + id.user, check, 400, "INVALID_ARGUMENT"},
		{"check an unknown permission", id.user, "POST", "/v1/check", `{"question":{"object":{"type":"party","id":"1"},"permission":"conquer"}}`, 400, "UNKNOWN_RELATION"},
		{"put a party, as a user", id.user, "POST", "/v1/register/parties", `{"source":"test","party":{"kind":"PARTY_KIND_PERSON","name":"X"}}`, 403, "SERVICES_ONLY"},
		{"put a party of no kind", id.admin, "POST", "/v1/register/parties", `{"source":"test","party":{"name":"X"}}`, 400, "INVALID_ARGUMENT"},
		{"put a party of an unknown kind", id.admin, "POST", "/v1/register/parties", `{"source":"test","party":{"kind":"KING","name":"X"}}`, 400, "INVALID_ARGUMENT"},
		{"delete an unknown party", id.admin, "DELETE", "/v1/register/parties/1", "", 404, "PARTY_NOT_FOUND"},
		{"wrong method", id.admin, "PATCH", "/v1/parties", "", 405, "METHOD_NOT_ALLOWED"},
		{"unknown path", id.admin, "GET", "/v1/castles", "", 404, "ROUTE_NOT_FOUND"},
		{"keys, as a user", id.user, "GET", "/v1/apikeys", "", 403, "SERVICES_ONLY"},
		{"revoke an unknown key", id.admin, "DELETE", "/v1/apikeys/none", "", 404, "API_KEY_NOT_FOUND"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := i.head(t)
			got := i.call(t, c.method, c.path, c.token, c.body)
			var problem struct {
				Status int    `json:"status"`
				Reason string `json:"reason"`
			}
			got.decode(t, &problem)
			if got.status != c.status || problem.Status != c.status || problem.Reason != c.reason {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, c.status, c.reason)
			}
			if kind := got.header.Get("Content-Type"); kind != "application/problem+json" {
				t.Errorf("Content-Type is %q", kind)
			}
			if got.status == http.StatusUnauthorized && got.header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if after := i.head(t); after != before {
				t.Errorf("the call wrote: revision %s became %s", before, after)
			}
		})
	}
}
