package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/registry"
)

// bring runs an import of one source.
func (w *world) bring(t *testing.T, h register.Header, entries ...register.Entry) register.Outcome {
	t.Helper()
	h.Sources = []string{"file"}
	run, err := w.register.Begin(h)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	if _, err := run.Add("file", entries); err != nil {
		t.Fatal(err)
	}
	outcome, err := run.Commit(t.Context(), func(register.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func counts(o register.Outcome) map[string]registry.Counts {
	all := make(map[string]registry.Counts)
	for _, c := range o.Sources[0].Others {
		all[c.Kind.String()] = c
	}
	return all
}

// An import brings what names parties that it brings as well, counts what it does, changes
// nothing the second time, and takes back what the source no longer says.
func TestImport(t *testing.T) {
	w := newWorld(t)
	firm := register.Entry{Party: &register.PartyRecord{ID: 401, Kind: party.Organisation, Name: "Firm", OrgNumber: "000000401"}}
	user := register.Entry{Registered: &registry.Entry{SystemUser: &registry.SystemUser{
		UUID: "00000000-0000-0000-0000-000000000401", Owner: "org:000000401", Name: "Payroll",
	}}}
	list := register.Entry{Registered: &registry.Entry{AccessList: &registry.AccessList{
		Owner: "ttd", Identifier: "imported", Members: []registry.Member{{Party: "party:401"}}, Opens: []records.ListedOpening{{Resource: "imported"}},
	}}}
	service := register.Entry{Registered: &registry.Entry{Resource: &records.Resource{ID: "imported", ListedOnly: true}}}
	lost := register.Entry{Line: 7, Registered: &registry.Entry{SystemUser: &registry.SystemUser{
		UUID: "00000000-0000-0000-0000-000000000402", Owner: "party:499",
	}}}
	wrong := register.Entry{Line: 8, Registered: &registry.Entry{Resource: &records.Resource{ID: "no id"}}}

	dry := w.bring(t, register.Header{DryRun: true}, firm, user, list, service)
	if diff := cmp.Diff(map[string]registry.Counts{
		"system users": {Kind: registry.SystemUsers, Added: 1}, "access lists": {Kind: registry.AccessLists, Added: 1},
		"resources": {Kind: registry.Resources, Added: 1},
	}, counts(dry)); diff != "" {
		t.Error(diff)
	}
	first := w.bring(t, register.Header{}, firm, user, list, service, lost, wrong)
	if diff := cmp.Diff(map[string]registry.Counts{
		"system users": {Kind: registry.SystemUsers, Added: 1, Refused: 1}, "access lists": {Kind: registry.AccessLists, Added: 1},
		"resources": {Kind: registry.Resources, Added: 1, Refused: 1},
	}, counts(first)); diff != "" {
		t.Error(diff)
	}
	var refused []int64
	for _, r := range first.Refusals {
		refused = append(refused, r.Line)
		if r.Field == "" || r.Message == "" {
			t.Errorf("a refusal without its field: %+v", r)
		}
	}
	if diff := cmp.Diff([]int64{8, 7}, refused); diff != "" {
		t.Error(diff)
	}
	if gated, admitted, err := w.Admits(t.Context(), "imported", party.Party{ID: 401, Kind: party.Organisation}, "read"); err != nil || !gated || !admitted {
		t.Errorf("gated %v, admitted %v, %v", gated, admitted, err)
	}

	second := w.bring(t, register.Header{}, firm, user, list, service)
	for kind, c := range counts(second) {
		if c.Added+c.Changed+c.Removed+c.Refused != 0 || c.Unchanged != 1 {
			t.Errorf("the second time %s: %+v", kind, c)
		}
	}
	if second.Revision != "" {
		t.Error("the second time something was written")
	}

	// The owner goes with what holds on to him.
	third := w.bring(t, register.Header{AllowRemovals: true}, service)
	if got := counts(third); got["system users"].Removed != 1 || got["access lists"].Removed != 1 || third.Sources[0].Parties.Removed != 1 {
		t.Errorf("%+v", third.Sources[0])
	}
	if _, known := w.directory.Get(401); known {
		t.Error("the owner is still on record")
	}
}

// What others have deleted since an import compared is no reason to leave what it removes
// half done.
func TestImportBesideOthers(t *testing.T) {
	w := newWorld(t)
	w.firm(t, 421)
	u := registry.SystemUser{UUID: "00000000-0000-0000-0000-000000000421", Owner: "party:421", Name: "Payroll"}
	if _, _, err := w.PutSystemUser(t.Context(), "file", u); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.PutAccessList(t.Context(), "file", registry.AccessList{Owner: "ttd", Identifier: "beside"}, ""); err != nil {
		t.Fatal(err)
	}
	run := w.Begin(false)
	if err := w.records.Read(t.Context(), func(tx *records.Tx) error { return run.Compare(t.Context(), tx, []string{"file"}) }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DeleteAccessList(t.Context(), "ttd", "beside", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := tuples(t, registry.SystemUserObject(u.UUID), "owner"); len(left) != 0 {
		t.Errorf("of the system user are left the owners %v", left)
	}
}

// What is exported is imported again as the same.
func TestExport(t *testing.T) {
	w := newWorld(t)
	w.firm(t, 411)
	u := registry.SystemUser{UUID: "00000000-0000-0000-0000-000000000411", Owner: "party:411", Name: "Payroll", Agent: true}
	if _, _, err := w.PutSystemUser(t.Context(), "api", u); err != nil {
		t.Fatal(err)
	}
	l, _, err := w.PutAccessList(t.Context(), "api", registry.AccessList{
		Owner: "ttd", Identifier: "exported", Name: "E", Members: []registry.Member{{Party: "party:411"}},
		Opens: []records.ListedOpening{{Resource: "exported", Actions: []string{"read"}}},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	r := records.Resource{ID: "exported", Owner: "ttd", OwnerNumber: "991825827", Type: "GenericAccessResource", Title: "T", ListedOnly: true, Source: "api"}
	if err := w.PutResource(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	taken := &taker{}
	if err := w.register.Export(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	want := []registry.Entry{
		{SystemUser: &u},
		{AccessList: &registry.AccessList{
			Owner: "ttd", Identifier: "exported", Name: "E", Members: []registry.Member{{Party: "party:411", Since: l.Members[0].Since}},
			Opens: []records.ListedOpening{{Resource: "exported", Actions: []string{"read"}}},
		}},
		{Resource: &r},
	}
	if diff := cmp.Diff(want, taken.registered); diff != "" {
		t.Error(diff)
	}
	if taken.announced != 3 {
		t.Errorf("%d are announced", taken.announced)
	}
}

// taker takes an export.
type taker struct {
	announced  int64
	registered []registry.Entry
}

func (t *taker) Begin(sources []records.Source) error {
	for _, s := range sources {
		t.announced += s.Registered
	}
	return nil
}

func (t *taker) Party(string, register.PartyRecord) error           { return nil }
func (t *taker) Assignment(string, register.AssignmentRecord) error { return nil }
func (t *taker) Delegation(string, register.DelegationRecord) error { return nil }
func (t *taker) Registered(_ string, e registry.Entry) error {
	t.registered = append(t.registered, e)
	return nil
}
