package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	spicedb "github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

const papers = `use expiration
definition user {}
definition team {
	relation member: user | team#member
	permission reach = member
}
definition paper {
	relation team: team
	relation reader: user | user:* | user with expiration | team#member | team#reach
	permission view = reader + team->reach
}`

// embedded returns an engine on a store in a file, with a schema.
func embedded(t *testing.T, schema string) (*engine.Engine, *store.Store) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "behalf.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return startOn(t, s, schema), s
}

// said returns the changes as texts.
func said(d *engine.Difference) []string {
	var all []string
	for _, c := range d.Changes {
		all = append(all, fmt.Sprintf("%s %s %d %d", c.What, c.Of, c.Touches, c.Orphans))
	}
	return all
}

func without(t *testing.T, text string, replace ...string) string {
	t.Helper()
	out := strings.NewReplacer(replace...).Replace(text)
	if out == text {
		t.Fatalf("nothing was replaced by %q", replace)
	}
	return out
}

// fill writes relationships of every shape of papers.
func fillPapers(t *testing.T, e *engine.Engine) {
	t.Helper()
	write(t, e, updates(relation.Touch,
		"team:a#member@user:1", "team:a#member@user:2", "team:b#member@team:a#member",
		"paper:1#team@team:b", "paper:1#reader@user:1", "paper:1#reader@user:*", "paper:1#reader@team:a#member", "paper:2#reader@team:b#reach",
	))
	later := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	write(t, e, []relation.Update{{Op: relation.Touch, Relationship: relation.Relationship{
		Resource: relation.Object{Type: "paper", ID: "3"}, Relation: "reader", Subject: relation.Subject{Object: relation.Object{Type: "user", ID: "3"}}, Expires: later,
	}}})
}

func TestDiffSchema(t *testing.T) {
	e := start(t, papers)
	fillPapers(t, e)
	for name, c := range map[string]struct {
		text    string
		renames []relations.Rename
		want    []string
	}{
		"nothing":  {"// other\n" + papers, nil, nil},
		"wildcard": {without(t, papers, "| user:* ", ""), nil, []string{"relation subject type removed paper#reader user:* 1 1"}},
		"expiring": {without(t, papers, "| user with expiration ", ""), nil, []string{"relation subject type removed paper#reader user with expiration 1 1"}},
		"plain":    {without(t, papers, "reader: user |", "reader:"), nil, []string{"relation subject type removed paper#reader user 1 1"}},
		"a userset": {without(t, papers, " | team#reach", " | team"), nil, []string{
			"relation subject type added paper#reader team 0 0", "relation subject type removed paper#reader team#reach 1 1"}},
		"a relation": {without(t, papers, "\trelation team: team\n", "", " + team->reach", ""), nil, []string{
			"permission expr changed paper#view 0 0", "relation removed paper#team 1 1"}},
		"a permission": {without(t, papers, "relation team: team", "relation above: team\npermission team = above"), nil, []string{
			"permission added paper#team 0 0", "relation added paper#above 0 0", "relation removed paper#team 1 1"}},
		"rename": {without(t, papers, "reader", "viewer"), []relations.Rename{{Definition: "paper", Old: "reader", New: "viewer"}}, []string{
			"relation renamed paper#reader=viewer 5 0", "permission expr changed paper#view 0 0"}},
		"rename to fewer types": {without(t, papers, "reader", "viewer", "| user:* ", ""), []relations.Rename{{Definition: "paper", Old: "reader", New: "viewer"}}, []string{
			"relation renamed paper#reader=viewer 5 0", "relation subject type removed paper#reader user:* 1 1", "permission expr changed paper#view 0 0"}},
		"rename undeclared": {without(t, papers, "reader", "viewer"), nil, []string{
			"relation added paper#viewer 0 0", "relation removed paper#reader 5 5", "permission expr changed paper#view 0 0"}},
		"rename of a userset": {without(t, papers, "member", "player"), []relations.Rename{{Definition: "team", Old: "member", New: "player"}}, []string{
			"relation renamed team#member=player 3 0", "permission expr changed team#reach 0 0",
			"relation subject type renamed paper#reader team#member 1 0", "relation subject type renamed team#member team#member 1 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := e.DiffSchema(t.Context(), engine.Own(c.text), c.renames...)
			if err != nil {
				t.Fatal(err)
			}
			got := said(d)
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		text   string
		rename relations.Rename
	}{
		"kept too":      {papers + "\n", relations.Rename{Definition: "paper", Old: "reader", New: "team"}},
		"no target":     {without(t, papers, "reader", "viewer"), relations.Rename{Definition: "paper", Old: "reader", New: "other"}},
		"no definition": {papers, relations.Rename{Definition: "folder", Old: "reader", New: "viewer"}},
		"never there":   {without(t, papers, "reader: user", "reader: user\nrelation more: user", "+ team", "+ more + team"), relations.Rename{Definition: "paper", Old: "none", New: "more"}},
		"a permission":  {without(t, papers, "permission view", "relation see: user\npermission look"), relations.Rename{Definition: "paper", Old: "view", New: "see"}},
		"to a relation": {without(t, papers, "\trelation team: team\n", "", " + team->reach", ""), relations.Rename{Definition: "paper", Old: "team", New: "reader"}},
	} {
		_, err := e.DiffSchema(t.Context(), engine.Own(c.text), c.rename)
		wantFault(t, name, err, fault.Precondition, engine.ReasonSchemaConflict)
	}
}

// TestRename renames relations on the embedded store. In one revision the schema changes, the
// old relationships end and the new ones begin, whatever else they carry.
func TestRename(t *testing.T) {
	e, s := embedded(t, papers)
	fillPapers(t, e)
	before, err := s.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := all(t, s, before.Revision)
	watched, faults := s.Watch(t.Context(), before.Revision, datastore.WatchOptions{Content: datastore.WatchRelationships | datastore.WatchSchema})
	text := without(t, papers, "reader", "viewer", "member", "player")
	declared := []relations.Rename{{Definition: "paper", Old: "reader", New: "viewer"}, {Definition: "team", Old: "member", New: "player"}}
	ran := 0
	d, err := e.ChangeSchema(t.Context(), engine.Own(text), func(ctx context.Context) error { ran++; return nil }, declared...)
	if err != nil || ran != 1 || len(d.Changes) != 6 {
		t.Fatalf("changes %q, also ran %d times: %v", said(d), ran, err)
	}
	after, err := s.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range old {
		want = append(want, strings.NewReplacer("#reader", "#viewer", "#member", "#player").Replace(r))
	}
	slices.Sort(want)
	if got := all(t, s, after.Revision); !slices.Equal(got, want) {
		t.Errorf("after: %q\nwant %q", got, want)
	}
	if got := all(t, s, before.Revision); !slices.Equal(got, old) {
		t.Errorf("history has %q\nwant %q", got, old)
	}
	select {
	case event := <-watched:
		if !event.Revision.Equal(after.Revision) || len(event.ChangedDefinitions) == 0 {
			t.Errorf("the first event is of %s, with %d definitions", event.Revision, len(event.ChangedDefinitions))
		}
		var touched, deleted int
		for _, u := range event.RelationshipChanges {
			switch u.Operation {
			case spicedb.UpdateOperationTouch:
				touched++
			case spicedb.UpdateOperationDelete:
				deleted++
			default:
				t.Errorf("update %v", u)
			}
		}
		if touched != 8 || deleted != 8 {
			t.Errorf("watchers see %d touched and %d deleted; want 8 each", touched, deleted)
		}
	case err := <-faults:
		t.Fatal(err)
	}
	allowed, _, err := e.Check(t.Context(), relation.At{}, relation.Question{
		Object: relation.Object{Type: "paper", ID: "2"}, Permission: "view", Subject: relation.Subject{Object: relation.Object{Type: "user", ID: "2"}},
	})
	if err != nil || !allowed[0].Allowed {
		t.Errorf("through renamed relations: %+v, %v", allowed, err)
	}
	copied, err := s.KeepCopy(t.Context(), "renamed")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := store.Verify(t.Context(), copied, nil, nil); err != nil || found.Relationships != len(want) {
		t.Errorf("the file holds %+v, %v", found, err)
	}
	// Again, nothing is left to do.
	if d, err := e.ChangeSchema(t.Context(), engine.Own(text), nil, declared...); err != nil || len(d.Changes) > 0 {
		t.Errorf("again: %v, %v", d, err)
	}
}

// TestRenameLeavesNothingHalf refuses a rename for what would be orphaned, and for what runs
// with it, and finds everything as it was.
func TestRenameLeavesNothingHalf(t *testing.T) {
	e, s := embedded(t, papers)
	fillPapers(t, e)
	before, err := s.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rename := relations.Rename{Definition: "paper", Old: "reader", New: "viewer"}
	_, err = e.ChangeSchema(t.Context(), engine.Own(without(t, papers, "reader", "viewer", "| user:* ", "")), nil, rename)
	wantFault(t, "orphans", err, fault.Precondition, engine.ReasonSchemaConflict)
	if err == nil || !strings.Contains(err.Error(), "1 live relationships would be left without a place") {
		t.Errorf("orphans: %v", err)
	}
	boom := errors.New("boom")
	_, err = e.ChangeSchema(t.Context(), engine.Own(without(t, papers, "reader", "viewer")), func(context.Context) error { return boom }, rename)
	if !errors.Is(err, boom) {
		t.Errorf("what runs with it: %v", err)
	}
	_, err = e.ChangeSchema(t.Context(), engine.Own(without(t, papers, "reader: user", "viewer: user", "= reader", "= nothing")), nil, rename)
	wantFault(t, "a schema that is refused", err, fault.Precondition, engine.ReasonSchemaConflict)
	after, err := s.HeadRevision(t.Context())
	if err != nil || !after.Revision.Equal(before.Revision) || after.SchemaHash != before.SchemaHash {
		t.Errorf("the head went from %v to %v: %v", before, after, err)
	}
}

// TestOthers changes what is not Behalf's own, which stays as it is.
func TestOthers(t *testing.T) {
	e := start(t, papers)
	own := []string{"user", "team"}
	fillPapers(t, e)
	_, err := e.ChangeSchema(t.Context(), engine.Others(own, ""), nil)
	wantFault(t, "removing what has relationships", err, fault.Precondition, engine.ReasonSchemaConflict)
	for text, want := range map[string]string{"definition user {}": "Behalf's own", "definition {": "do not compile"} {
		_, err := e.ChangeSchema(t.Context(), engine.Others(own, text), nil)
		wantFault(t, text, err, fault.Invalid, fault.ReasonInvalidArgument)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, paper, _ := strings.Cut(papers, "definition paper")
	d, err := e.ChangeSchema(t.Context(), engine.Others(own, "use expiration\ndefinition desk {\nrelation sits: user with expiration\n}\ndefinition paper"+paper), nil)
	if err != nil || !slices.Equal(said(d), []string{"definition added desk 0 0"}) {
		t.Errorf("one more: %v, %v", d, err)
	}
}

// TestRenameOnPostgres renames a relation of more relationships than one statement takes, and
// leaves everything as it was when the change is refused.
func TestRenameOnPostgres(t *testing.T) {
	store := open(t, database(t))
	e := startOn(t, store, papers)
	fillPapers(t, e)
	var many []string
	for i := range 6_000 {
		many = append(many, fmt.Sprintf("paper:m%d#reader@user:1", i))
	}
	write(t, e, updates(relation.Touch, many...))
	before := headOf(t, store)
	old := all(t, store, before.Revision)
	rename := relations.Rename{Definition: "paper", Old: "reader", New: "viewer"}
	text := without(t, papers, "reader", "viewer")
	boom := errors.New("boom")
	_, err := e.ChangeSchema(t.Context(), engine.Own(text), func(context.Context) error { return boom }, rename)
	if !errors.Is(err, boom) {
		t.Errorf("what runs with it: %v", err)
	}
	_, err = e.ChangeSchema(t.Context(), engine.Own(without(t, papers, "reader: user", "viewer: user", "= reader", "= nothing")), nil, rename)
	wantFault(t, "a schema that is refused", err, fault.Precondition, engine.ReasonSchemaConflict)
	_, err = e.ChangeSchema(t.Context(), engine.Own(text), nil)
	wantFault(t, "orphans", err, fault.Precondition, engine.ReasonSchemaConflict)
	if after := headOf(t, store); after.SchemaHash != before.SchemaHash || !slices.Equal(all(t, store, after.Revision), old) {
		t.Errorf("the head went from %v to %v", before, after)
	}
	ran := 0
	d, err := e.ChangeSchema(t.Context(), engine.Own(text), func(context.Context) error { ran++; return nil }, rename)
	if err != nil || ran == 0 || !slices.Contains(said(d), "relation renamed paper#reader=viewer 6005 0") {
		t.Fatalf("changes %q, also ran %d times: %v", said(d), ran, err)
	}
	var want []string
	for _, r := range old {
		want = append(want, strings.ReplaceAll(r, "#reader", "#viewer"))
	}
	slices.Sort(want)
	if got := all(t, store, headOf(t, store).Revision); !slices.Equal(got, want) {
		t.Errorf("after: %d relationships, want %d", len(got), len(want))
	}
	if got := all(t, store, before.Revision); !slices.Equal(got, old) {
		t.Errorf("history has %d relationships, want %d", len(got), len(old))
	}
	if !allowed(t, e, relation.At{}, "paper:m17#view@user:1") {
		t.Error("a renamed relationship does not count")
	}
	if d, err := e.ChangeSchema(t.Context(), engine.Own(text), nil, rename); err != nil || len(d.Changes) > 0 {
		t.Errorf("again: %v, %v", d, err)
	}
}

func headOf(t *testing.T, s datastore.Datastore) datastore.RevisionWithSchemaHash {
	t.Helper()
	head, err := s.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// all returns the relationships of a revision, in order.
func all(t *testing.T, s datastore.Datastore, r datastore.Revision) []string {
	t.Helper()
	found, err := s.SnapshotReader(r).QueryRelationships(t.Context(), datastore.RelationshipsFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for r, err := range found {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, spicedb.MustString(r))
	}
	slices.Sort(texts)
	return texts
}
