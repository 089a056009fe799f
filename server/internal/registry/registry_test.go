package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// shared is the engine of all tests: writing the schema is what takes time. Tests use
// parties, lists and system users of their own.
var shared *engine.Engine

func TestMain(m *testing.M) { os.Exit(withEngine(m)) }

func withEngine(m *testing.M) (code int) {
	var err error
	if shared, err = engine.New(engine.Config{}); err == nil {
		if err = shared.EnsureSchema(context.Background(), relations.Schema); err == nil {
			code = m.Run()
		}
		err = errors.Join(err, shared.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return 1
	}
	return code
}

// world is a registry with a register beside it, both of which write to one database.
type world struct {
	*registry.Service
	register  *register.Service
	directory *party.Directory
	records   *records.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := records.Open(t.Context(), records.Config{Path: filepath.Join(t.TempDir(), "records.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	directory := party.NewDirectory()
	kept, err := registry.New(registry.Config{Records: store, Relations: shared, Reader: shared})
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	writes, err := register.New(register.Config{
		Records: store, Relations: shared, Directory: directory, Catalogue: catalogue, Registry: kept, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{kept, writes, directory, store}
}

// firm puts an organisation on record and returns it.
func (w *world) firm(t *testing.T, id party.ID) party.Party {
	t.Helper()
	p, _, err := w.register.PutParty(t.Context(), "test", register.PartyRecord{
		ID: id, Kind: party.Organisation, Name: fmt.Sprint("Firm ", id), OrgNumber: fmt.Sprintf("%09d", id), UnitType: "AS",
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tuples returns the subjects of a relation.
func tuples(t *testing.T, of relation.Object, name string) []string {
	t.Helper()
	found, _, err := shared.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: of.Type, ResourceID: of.ID, Relation: name})
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, r := range found {
		subjects = append(subjects, r.Subject.String())
	}
	return subjects
}

func wantReason(t *testing.T, err error, reason fault.Reason) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Reason != reason {
		t.Errorf("error %v, want reason %s", err, reason)
	}
}

const payroll = "47caea5b-a80b-4343-b1d3-31eb523a4e28"

func TestSystemUser(t *testing.T) {
	w := newWorld(t)
	a, b := w.firm(t, 101), w.firm(t, 102)
	put := func(owner party.ID, name string) records.SystemUser {
		t.Helper()
		u, revision, err := w.PutSystemUser(t.Context(), "api", registry.SystemUser{
			UUID: "47CAEA5B-a80b-4343-b1d3-31eb523a4e28", Owner: registry.ReferenceTo(owner), Name: name, Agent: true,
		})
		if err != nil || revision == "" {
			t.Fatalf("revision %q, %v", revision, err)
		}
		return u
	}
	put(a.ID, "Payroll")
	want := records.SystemUser{UUID: payroll, Owner: b.ID, Agent: true, Name: "Payroll 2", Source: "api"}
	if diff := cmp.Diff(want, put(b.ID, "Payroll 2")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"party:102"}, tuples(t, registry.SystemUserObject(payroll), "owner")); diff != "" {
		t.Errorf("a new owner leaves the old one: %s", diff)
	}
	if got, err := w.SystemUser(t.Context(), payroll); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	for owner, n := range map[registry.Reference]int{"": 1, "party:101": 0, "org:000000102": 1} {
		if got, _, err := w.SystemUsers(t.Context(), owner, "", 0); err != nil || len(got) != n {
			t.Errorf("of %q: %v, %v", owner, got, err)
		}
	}
	_, err := w.register.DeleteParty(t.Context(), register.PartyID(b.ID))
	wantReason(t, err, registry.ReasonPartyHasSystemUsers)
	if _, err := w.DeleteSystemUser(t.Context(), payroll); err != nil {
		t.Fatal(err)
	}
	if left := tuples(t, registry.SystemUserObject(payroll), "owner"); len(left) > 0 {
		t.Errorf("the deletion left %v", left)
	}
	_, err = w.DeleteSystemUser(t.Context(), payroll)
	wantReason(t, err, registry.ReasonSystemUserNotFound)
	if _, err := w.register.DeleteParty(t.Context(), register.PartyID(b.ID)); err != nil {
		t.Error(err)
	}
	_, _, err = w.PutSystemUser(t.Context(), "api", registry.SystemUser{UUID: payroll, Owner: "party:102"})
	wantReason(t, err, fault.ReasonPartyNotFound)
	_, _, err = w.PutSystemUser(t.Context(), "api", registry.SystemUser{UUID: "payroll", Owner: "party:101"})
	wantReason(t, err, fault.ReasonInvalidArgument)
}

// A system user that has been delegated something stays.
func TestSystemUserWithRights(t *testing.T) {
	w := newWorld(t)
	owner := w.firm(t, 111)
	const uuid = "00000000-0000-0000-0000-000000000111"
	if _, _, err := w.PutSystemUser(t.Context(), "api", registry.SystemUser{UUID: uuid, Owner: registry.ReferenceTo(owner.ID)}); err != nil {
		t.Fatal(err)
	}
	run, err := w.register.Begin(register.Header{Sources: []string{"given"}})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	_, err = run.Add("given", []register.Entry{{Delegation: &register.DelegationRecord{
		From: "party:111", To: "systemuser:" + uuid, Resource: "app_skd_taxreport", Action: "read",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if outcome, err := run.Commit(t.Context(), func(register.Progress) {}); err != nil || len(outcome.Refusals) > 0 {
		t.Fatalf("%v, %v", outcome, err)
	}
	_, err = w.DeleteSystemUser(t.Context(), uuid)
	wantReason(t, err, registry.ReasonSystemUserHasRights)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Meta["count"] != "1" {
		t.Errorf("the fault counts %v", f.Meta)
	}
}

func TestAccessList(t *testing.T) {
	w := newWorld(t)
	for id := party.ID(201); id <= 203; id++ {
		w.firm(t, id)
	}
	list := registry.AccessList{
		Owner: "ttd", Identifier: "banks", Name: "Banks", Members: []registry.Member{{Party: "party:202"}, {Party: "org:000000201"}, {Party: "party:202"}},
		Opens: []records.ListedOpening{{Resource: "loan", Actions: []string{"write", "read"}}, {Resource: "account"}},
	}
	first, _, err := w.PutAccessList(t.Context(), "api", list, "")
	if err != nil {
		t.Fatal(err)
	}
	id, _ := registry.ListID("ttd", "banks")
	object := relation.Object{Type: relation.TypeAccessList, ID: id}
	if diff := cmp.Diff([]string{"party:201", "party:202"}, tuples(t, object, "member")); diff != "" {
		t.Error(diff)
	}
	again, _, err := w.PutAccessList(t.Context(), "api", list, first.ETag)
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("the same list once more is another: %v\n%s", err, diff)
	}
	etag, _, err := w.ChangeMembers(t.Context(), "ttd", "banks", []registry.Reference{"party:203", "party:201"}, []registry.Reference{"party:202"}, first.ETag)
	if err != nil || etag == first.ETag {
		t.Fatalf("etag %s, %v", etag, err)
	}
	if diff := cmp.Diff([]string{"party:201", "party:203"}, tuples(t, object, "member")); diff != "" {
		t.Error(diff)
	}
	got, err := w.AccessList(t.Context(), "ttd", "banks")
	if err != nil {
		t.Fatal(err)
	}
	if !got.Members[0].Since.Equal(first.Members[0].Since) || got.ETag != etag {
		t.Errorf("who was on the list is on it since %v, was %v; etag %s, %s", got.Members[0].Since, first.Members[0].Since, got.ETag, etag)
	}
	_, _, err = w.PutAccessList(t.Context(), "api", list, first.ETag)
	wantReason(t, err, fault.ReasonETagMismatch)
	_, err = w.DeleteAccessList(t.Context(), "ttd", "banks", first.ETag)
	wantReason(t, err, fault.ReasonETagMismatch)

	// A party that goes leaves its lists in the same write.
	if _, err := w.register.DeleteParty(t.Context(), register.PartyID(203)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"party:201"}, tuples(t, object, "member")); diff != "" {
		t.Error(diff)
	}
	after, err := w.AccessList(t.Context(), "ttd", "banks")
	if err != nil || len(after.Members) != 1 || after.ETag == etag {
		t.Errorf("%v, %v", after, err)
	}
	if _, err := w.DeleteAccessList(t.Context(), "ttd", "banks", after.ETag); err != nil {
		t.Fatal(err)
	}
	if left := tuples(t, object, "member"); len(left) > 0 {
		t.Errorf("the deletion left %v", left)
	}
	_, err = w.AccessList(t.Context(), "ttd", "banks")
	wantReason(t, err, registry.ReasonAccessListNotFound)
}

func TestGate(t *testing.T) {
	w := newWorld(t)
	in, out := w.firm(t, 301), w.firm(t, 302)
	for _, r := range []records.Resource{{ID: "gate-open", Source: "api"}, {ID: "gate-listed", ListedOnly: true, Source: "api"}} {
		if err := w.PutResource(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := w.PutAccessList(t.Context(), "api", registry.AccessList{
		Owner: "ttd", Identifier: "gate", Members: []registry.Member{{Party: "party:301"}},
		Opens: []records.ListedOpening{{Resource: "gate-listed", Actions: []string{"read"}}},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	person := party.Party{ID: 301, Kind: party.Person}
	for _, q := range []struct {
		resource, action string
		who              party.Party
		gated, admitted  bool
	}{
		{"gate-open", "read", out, false, true},
		{"gate-unknown", "read", out, false, true},
		{"gate-listed", "read", in, true, true},
		{"gate-listed", "write", in, true, false},
		{"gate-listed", "read", out, true, false},
		{"gate-listed", "read", person, true, false},
		{"gate-listed", "read", party.Party{}, true, false},
	} {
		gated, admitted, err := w.Admits(t.Context(), q.resource, q.who, q.action)
		if err != nil || gated != q.gated || admitted != q.admitted {
			t.Errorf("%s of %s by %d: gated %v, admitted %v, %v", q.action, q.resource, q.who.ID, gated, admitted, err)
		}
	}
	if lists, err := w.ListsOf(t.Context(), in.ID); err != nil || !cmp.Equal(lists, []string{"ttd:gate"}) {
		t.Errorf("%v, %v", lists, err)
	}
	standing, _, err := w.Standing(t.Context(), relation.At{}, out.ID, "gate-listed", "read")
	if err != nil || standing.Allowed || !standing.Known {
		t.Errorf("%+v, %v", standing, err)
	}
}

// A decision sees one revision: who left a list after it was pinned is on it still.
func TestGateIsPinned(t *testing.T) {
	w := newWorld(t)
	in := w.firm(t, 311)
	if err := w.PutResource(t.Context(), records.Resource{ID: "pinned", ListedOnly: true, Source: "api"}); err != nil {
		t.Fatal(err)
	}
	_, _, err := w.PutAccessList(t.Context(), "api", registry.AccessList{
		Owner: "ttd", Identifier: "pinned", Members: []registry.Member{{Party: "party:311"}}, Opens: []records.ListedOpening{{Resource: "pinned"}},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, _, err := shared.Pin(t.Context(), relation.At{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.ChangeMembers(t.Context(), "ttd", "pinned", nil, []registry.Reference{"party:311"}, ""); err != nil {
		t.Fatal(err)
	}
	if _, admitted, err := w.Admits(ctx, "pinned", in, "read"); err != nil || !admitted {
		t.Errorf("at the pinned revision: %v, %v", admitted, err)
	}
	if _, admitted, err := w.Admits(t.Context(), "pinned", in, "read"); err != nil || admitted {
		t.Errorf("now: %v, %v", admitted, err)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		if err := w.PutResource(t.Context(), records.Resource{ID: fmt.Sprint("page-", i), Owner: "ttd", Source: "api"}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for after := ""; ; {
		page, next, err := w.Resources(t.Context(), "ttd", after, 2)
		if err != nil || len(page) > 2 {
			t.Fatalf("%v, %v", page, err)
		}
		for _, r := range page {
			ids = append(ids, r.ID)
		}
		if after = next; after == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"page-0", "page-1", "page-2", "page-3", "page-4"}, ids); diff != "" {
		t.Error(diff)
	}
	if err := w.DeleteResource(t.Context(), "page-0"); err != nil {
		t.Error(err)
	}
	wantReason(t, w.DeleteResource(t.Context(), "page-0"), registry.ReasonResourceNotFound)
}
