package delegation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/delegation"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/role"
)

// shared is the engine of all tests, which run one after the other: writing the schema is
// what takes time.
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

// The world of the tests.
//
//	100 shop AS: managing director 1, administrator 2 (main administrator), accountant firm 200
//	101 its sub-unit
//	200 firm AS: managing director 3, client administrator 4, agents 5 and 6, system users below
//	300 buyer AS: chair 7, and 8 who has no key role
//	400 other AS: managing director 9
//	10 the person without any role
const (
	shop, shopUnit, firm, buyer, other = 100, 101, 200, 300, 400

	standardSystem = "00000000-0000-4000-8000-000000000001" // of the buyer
	agentSystem    = "00000000-0000-4000-8000-000000000002" // of the firm, for its clients
	ownSystem      = "00000000-0000-4000-8000-000000000003" // of the firm, for itself
)

// world is delegations over the real engine and real records.
type world struct {
	*delegation.Service
	t         *testing.T
	register  *register.Service
	records   *records.Store
	catalogue *roles.Catalogue
	now       time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := records.Open(t.Context(), records.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	catalogue, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, records: store, catalogue: catalogue, now: time.Now()}
	w.empty()
	directory := party.NewDirectory()
	w.register, err = register.New(register.Config{
		Records: store, Relations: shared, Directory: directory, Catalogue: catalogue,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	held, err := role.New(role.Config{Relations: shared, Catalogue: catalogue})
	if err != nil {
		t.Fatal(err)
	}
	w.Service, err = delegation.New(delegation.Config{
		Records: store, Register: w.register, Relations: shared, Directory: directory, Catalogue: catalogue, Roles: held,
		Policies: policies{}, Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.populate()
	return w
}

// empty takes away what an earlier test has left in the graph.
func (w *world) empty() {
	w.t.Helper()
	var updates []relation.Update
	for _, r := range w.read() {
		updates = append(updates, relation.Update{Op: relation.Delete, Relationship: r})
	}
	if len(updates) == 0 {
		return
	}
	if _, err := shared.Write(w.t.Context(), updates); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read() []relation.Relationship {
	w.t.Helper()
	all, _, err := shared.Read(w.t.Context(), relation.At{}, relation.Filter{ResourceType: relation.TypeParty},
		relation.Filter{ResourceType: relation.TypeRight}, relation.Filter{ResourceType: relation.TypeClientDelegation})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) populate() {
	for id, number := range map[party.ID]string{shop: "910000100", firm: "910000200", buyer: "910000300", other: "910000400"} {
		w.put(register.PartyRecord{ID: id, Kind: party.Organisation, Name: "ORG", OrgNumber: number, UnitType: "AS"})
	}
	w.put(register.PartyRecord{ID: shopUnit, Kind: party.SubUnit, Name: "SUB", OrgNumber: "910000101", UnitType: "BEDR", MainUnit: "party:100"})
	for id := party.ID(1); id <= 10; id++ {
		w.put(register.PartyRecord{
			ID: id, Kind: party.Person, Name: "P", NationalID: fmt.Sprintf("070101000%02d", id), UserID: party.UserID(1000 + id), Login: true,
		})
	}
	for _, h := range [][3]string{
		{"100", "DAGL", "1"}, {"100", "hovedadministrator", "2"}, {"100", "REGN", "200"}, {"200", "DAGL", "3"}, {"200", "KLADM", "4"},
		{"200", "agent", "5"}, {"200", "agent", "6"}, {"300", "LEDE", "7"}, {"300", "MEDL", "8"}, {"400", "DAGL", "9"},
	} {
		w.hold(h[0], h[1], h[2])
	}
	err := w.records.Write(w.t.Context(), func(ctx context.Context, tx *records.Tx) error {
		return errors.Join(
			tx.PutSystemUser(ctx, records.SystemUser{UUID: standardSystem, Owner: buyer, Source: "test"}),
			tx.PutSystemUser(ctx, records.SystemUser{UUID: agentSystem, Owner: firm, Agent: true, Source: "test"}),
			tx.PutSystemUser(ctx, records.SystemUser{UUID: ownSystem, Owner: firm, Source: "test"}))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(r register.PartyRecord) {
	w.t.Helper()
	if _, _, err := w.register.PutParty(w.t.Context(), "test", r); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) hold(from, role, to string) {
	w.t.Helper()
	_, err := w.register.PutAssignment(w.t.Context(), "test", register.AssignmentRecord{From: "party:" + from, Role: role, To: "party:" + to})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) lose(from, role, to string) {
	w.t.Helper()
	_, err := w.register.DeleteAssignment(w.t.Context(), "test", register.AssignmentRecord{From: "party:" + from, Role: role, To: "party:" + to})
	if err != nil {
		w.t.Fatal(err)
	}
}

// user is the user id of a person.
func user(id party.ID) party.UserID { return party.UserID(1000 + id) }

func to(id party.ID) delegation.Receiver { return delegation.Receiver{Party: party.Reference{ID: id}} }

func system(uuid string) delegation.Receiver { return delegation.Receiver{SystemUser: uuid} }

func by(id party.ID) delegation.Actor { return delegation.Actor{User: user(id)} }

// right is a grant of a right of the shop by its managing director.
func right(receiver delegation.Receiver) delegation.Grant {
	return delegation.Grant{
		From: party.Reference{ID: shop}, To: receiver, Right: delegation.Right{Resource: "app_skd_skatt", Action: "read"}, By: by(1),
	}
}

// pkg is a grant of a package of the shop by its managing director.
func pkg(receiver delegation.Receiver, name string) delegation.Grant {
	return delegation.Grant{From: party.Reference{ID: shop}, To: receiver, Package: name, By: by(1)}
}

// client is a grant of a package of the shop by the firm's managing director.
func client(receiver delegation.Receiver) delegation.Grant {
	return delegation.Grant{
		From: party.Reference{ID: shop}, Provider: party.Reference{ID: firm}, To: receiver, Package: "regnskapsforer-lonn", By: by(3),
	}
}

// give grants what must be granted.
func (w *world) give(g delegation.Grant) delegation.Delegation {
	w.t.Helper()
	d, revision, err := w.Grant(w.t.Context(), g)
	if err != nil || revision == "" {
		w.t.Fatalf("grant %+v: %q, %v", g, revision, err)
	}
	return d
}

func (w *world) revoke(d delegation.Delegation, who delegation.Actor) {
	w.t.Helper()
	if _, err := w.Revoke(w.t.Context(), d.ID, who); err != nil {
		w.t.Fatalf("revoke %+v: %v", d, err)
	}
}

// tuples shows what is delegated in the graph.
func (w *world) tuples() []string {
	w.t.Helper()
	var shown []string
	for _, r := range w.read() {
		if _, _, held := w.catalogue.Held(r.Relation); held || slices.Contains([]string{"self", "main_unit"}, r.Relation) {
			continue
		}
		text := fmt.Sprintf("%s#%s@%s", r.Resource, r.Relation, r.Subject)
		if !r.Expires.IsZero() {
			text += " until " + r.Expires.UTC().Format(time.DateOnly)
		}
		shown = append(shown, text)
	}
	slices.Sort(shown)
	return shown
}

func (w *world) wantTuples(want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(append([]string(nil), want...), w.tuples()); diff != "" {
		w.t.Errorf("tuples, - wanted, + got:\n%s", diff)
	}
}

// may reports whether somebody has the delegated right to read the shop's tax return.
func (w *world) may(of party.ID, who relation.Subject) bool {
	w.t.Helper()
	_, ok := w.asking(delegation.Asking{Party: of, Resource: "app_skd_skatt", Action: "read"}, who)
	return ok
}

func (w *world) asking(a delegation.Asking, who relation.Subject) ([]string, bool) {
	w.t.Helper()
	ctx, _, err := shared.Pin(w.t.Context(), relation.At{})
	if err != nil {
		w.t.Fatal(err)
	}
	path, ok, err := w.Delegated(ctx, a, []relation.Subject{who})
	if err != nil {
		w.t.Fatal(err)
	}
	return path, ok
}

// uses reports whether somebody has a package for a party.
func (w *world) uses(of party.ID, who relation.Subject, name string) bool {
	w.t.Helper()
	p, ok := w.catalogue.Package(name)
	if !ok {
		w.t.Fatalf("no package %s", name)
	}
	held, err := w.Packages(w.t.Context(), of, who, []roles.Package{p})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(held) == 1
}

func person(id party.ID) relation.Subject { return relation.User(int64(user(id))) }

func reasonOf(err error) fault.Reason {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Reason
	}
	return ""
}
