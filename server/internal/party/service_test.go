package party_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// world is a service over a running engine and a directory, both empty.
type world struct {
	*party.Service
	t         *testing.T
	engine    *engine.Engine
	directory *party.Directory
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, engine: e, directory: party.NewDirectory()}
	if w.Service, err = party.New(party.Config{Relations: e, Directory: w.directory}); err != nil {
		t.Fatal(err)
	}
	return w
}

// user writes that a user has a relation to parties.
func (w *world) user(name string, user int64, parties ...int64) {
	w.t.Helper()
	w.write(relation.Touch, name, relation.User(user), parties)
}

func (w *world) write(op relation.Op, name string, subject relation.Subject, parties []int64) relation.Revision {
	w.t.Helper()
	var updates []relation.Update
	for _, id := range parties {
		updates = append(updates, relation.Update{Op: op, Relationship: relation.Relationship{
			Resource: relation.Party(id), Relation: name, Subject: subject,
		}})
	}
	revision, err := w.engine.Write(w.t.Context(), updates)
	if err != nil {
		w.t.Fatal(err)
	}
	return revision
}

// put records parties; sub-units also get their link.
func (w *world) put(parties ...party.Party) {
	w.t.Helper()
	w.directory.Apply(parties, nil)
	for _, p := range parties {
		if p.MainUnit != 0 {
			w.write(relation.Touch, "main_unit", relation.Subject{Object: relation.Party(int64(p.MainUnit))}, []int64{int64(p.ID)})
		}
	}
}

func (w *world) list(q party.Query) party.List {
	w.t.Helper()
	list, err := w.List(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	if list.Revision == "" {
		w.t.Error("a list carries no revision")
	}
	return list
}

// outline is a list as text: ids in order, sub-units after their main unit in brackets,
// which an asterisk marks when it is there for their sake only.
func outline(entries []party.Entry) string {
	var text string
	for _, e := range entries {
		text += " " + strconv.Itoa(int(e.ID))
		if e.HierarchyOnly {
			text += "*"
		}
		if len(e.SubUnits) > 0 {
			text += "[" + outline(e.SubUnits)[1:] + "]"
		}
	}
	return text
}

func wantFault(t *testing.T, what string, err error, kind fault.Kind, reason fault.Reason) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != kind || e.Reason != reason {
		t.Errorf("%s: %v, want kind %d reason %s", what, err, kind, reason)
	}
}

func TestGet(t *testing.T) {
	w := newWorld(t)
	kasper := party.Party{ID: 6, UUID: "ee007db6-0000-4000-8000-000000000001", Kind: party.Person, Name: "KASPER BØRSTAD", NationalID: "07124912037", UserID: 100, Login: true}
	skrova := party.Party{ID: 1, UUID: "35042029-f290-473c-9770-2e256bb50d3b", Kind: party.Organisation, Name: "SKROVA", OrgNumber: "910042963"}
	w.put(kasper, skrova, party.Party{ID: 2, Name: "OTHER", OrgNumber: "910042964"})
	w.user("self", 100, 6)
	w.user("dagl", 100, 1, 77)

	user := caller.Caller{Kind: caller.User, UserID: 100}
	service := caller.Caller{Kind: caller.Service, Scopes: []caller.Scope{caller.PartiesRead}}
	for _, c := range []struct {
		name   string
		who    caller.Caller
		ref    party.Reference
		want   party.Party
		reason fault.Reason
	}{
		{"own", user, party.Reference{ID: 6}, kasper, ""},
		{"own by national id", user, party.Reference{NationalID: "07124912037"}, kasper, ""},
		{"by number", user, party.Reference{OrgNumber: "910042963"}, skrova, ""},
		{"by uuid", user, party.Reference{UUID: "35042029-F290-473c-9770-2e256bb50d3b"}, skrova, ""},
		{"without a record", user, party.Reference{ID: 77}, party.Party{ID: 77}, ""},
		{"another's", user, party.Reference{ID: 2}, party.Party{}, party.ReasonPartyNotRepresented},
		{"another's by number", user, party.Reference{OrgNumber: "910042964"}, party.Party{}, party.ReasonPartyNotRepresented},
		{"nobody's", user, party.Reference{ID: 3}, party.Party{}, party.ReasonPartyNotRepresented},
		{"nobody's by number", user, party.Reference{OrgNumber: "999999999"}, party.Party{}, party.ReasonPartyNotRepresented},
		{"service", service, party.Reference{ID: 2}, skrovaOther, ""},
		{"service by number", service, party.Reference{OrgNumber: "910042963"}, skrova, ""},
		{"service, nobody's", service, party.Reference{ID: 3}, party.Party{}, fault.ReasonPartyNotFound},
		{"service, by unknown uuid", service, party.Reference{UUID: "x"}, party.Party{}, fault.ReasonPartyNotFound},
		{"service, without a record", service, party.Reference{ID: 77}, party.Party{}, fault.ReasonPartyNotFound},
		{"nobody", caller.Caller{}, party.Reference{ID: 1}, party.Party{}, party.ReasonPartyNotRepresented},
		{"nobody with an id", caller.Caller{UserID: 100}, party.Reference{ID: 1}, party.Party{}, party.ReasonPartyNotRepresented},
	} {
		got, revision, err := w.Get(t.Context(), relation.At{}, c.who, c.ref)
		if c.reason != "" {
			kind := fault.Denied
			if c.reason == fault.ReasonPartyNotFound {
				kind = fault.NotFound
			}
			wantFault(t, c.name, err, kind, c.reason)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil || revision == "" {
			t.Errorf("%s: revision %q, %v (-want +got):\n%s", c.name, revision, err, diff)
		}
	}
	// What exists and what does not are refused for the same reason first.
	for _, ref := range []party.Reference{{ID: 2}, {OrgNumber: "999999999"}} {
		_, _, err := w.Get(t.Context(), relation.At{AtLeast: "x"}, user, ref)
		wantFault(t, "bad revision", err, fault.Invalid, fault.ReasonInvalidRevision)
	}
}

var skrovaOther = party.Party{ID: 2, Name: "OTHER", OrgNumber: "910042964"}

func TestValidate(t *testing.T) {
	w := newWorld(t)
	w.put(party.Party{ID: 1}, party.Party{ID: 2, MainUnit: 1})
	w.user("dagl", 100, 1)
	w.user("dagl", 200, 2)
	w.write(relation.Touch, "regn_org", relation.Subject{Object: relation.Party(1)}, []int64{3, 4})
	for _, c := range []struct {
		party party.ID
		user  party.UserID
		want  bool
	}{
		{1, 100, true}, {2, 100, true}, {3, 100, true}, // own, sub-unit, client
		{1, 200, false}, {2, 200, true}, {3, 200, false}, // never upwards
		{99, 100, false}, {1, 999, false},
	} {
		got, revision, err := w.Validate(t.Context(), relation.At{}, c.party, c.user)
		if err != nil || got != c.want || revision == "" {
			t.Errorf("may %d represent %d: %v at %q, %v; want %v", c.user, c.party, got, revision, err, c.want)
		}
	}
	revision := w.write(relation.Delete, "dagl", relation.User(100), []int64{1})
	if got, _, err := w.Validate(t.Context(), relation.At{AtLeast: revision}, 2, 100); got || err != nil {
		t.Errorf("after the role is gone: %v, %v", got, err)
	}
	_, _, err := w.Validate(t.Context(), relation.At{AtLeast: "x"}, 1, 100)
	wantFault(t, "bad revision", err, fault.Invalid, fault.ReasonInvalidRevision)
}

func TestRepresentatives(t *testing.T) {
	w := newWorld(t)
	w.put(party.Party{ID: 1}, party.Party{ID: 10, Kind: party.Person, Name: "KARI", UserID: 100})
	w.user("dagl", 100, 1)
	w.user("lede", 300, 1, 5)
	w.user("regn", 1000, 1)
	w.write(relation.Touch, "revi_org", relation.Subject{Object: relation.Party(5)}, []int64{1})
	w.write(relation.Touch, "unit_esek", relation.Subject{Object: relation.Object{Type: "user", ID: "*"}}, []int64{1})

	var users []party.UserID
	q := party.RepresentativesQuery{Party: 1, PageSize: 2}
	for {
		list, err := w.Representatives(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if list.Total != 3 || list.Revision == "" {
			t.Errorf("%d users at %q, want 3", list.Total, list.Revision)
		}
		for _, u := range list.Users {
			users = append(users, u.User)
			if known := u.Party.Name == "KARI"; known != (u.User == 100) {
				t.Errorf("user %d is %+v", u.User, u.Party)
			}
		}
		if q.PageToken = list.Next; q.PageToken == "" {
			break
		}
	}
	if want := []party.UserID{100, 300, 1000}; !slices.Equal(users, want) {
		t.Errorf("representatives %v, want %v", users, want)
	}
	list, err := w.Representatives(t.Context(), party.RepresentativesQuery{Party: 1, Role: "revi"})
	if err != nil || len(list.Users) != 1 || list.Users[0].User != 300 {
		t.Errorf("with a role: %+v, %v; want user 300", list.Users, err)
	}
	list, err = w.Representatives(t.Context(), party.RepresentativesQuery{Party: 99})
	if err != nil || len(list.Users) != 0 {
		t.Errorf("of an unknown party: %+v, %v", list.Users, err)
	}
	_, err = w.Representatives(t.Context(), party.RepresentativesQuery{Party: 2, PageToken: mustPage(t, w)})
	wantFault(t, "token of another query", err, fault.Invalid, fault.ReasonInvalidPageToken)
}

func mustPage(t *testing.T, w *world) string {
	t.Helper()
	list, err := w.Representatives(t.Context(), party.RepresentativesQuery{Party: 1, PageSize: 1})
	if err != nil || list.Next == "" {
		t.Fatalf("a first page: %+v, %v", list, err)
	}
	return list.Next
}
