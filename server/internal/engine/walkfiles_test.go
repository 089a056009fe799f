package engine_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	spicedb "github.com/authzed/spicedb/pkg/tuple"
	"github.com/authzed/spicedb/pkg/validationfile"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// TestWalkFiles loads SpiceDB's own validation files. Their assertions and expected
// relations hold, and walks agree with SpiceDB on everything that can be asked in them.
func TestWalkFiles(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/authzed/spicedb").Output()
	if err != nil {
		t.Skipf("SpiceDB's source is not there: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "internal/services/integrationtesting/testconfigs/*.yaml"))
	if err != nil || len(files) < 70 {
		t.Fatalf("%d validation files, %v", len(files), err)
	}
	p := &proof{outcomes: map[string]int{}}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { p.file(t, file) })
	}
	t.Logf("%d files, %d comparisons: %v", len(files), p.compared, p.outcomes)
	if p.compared < 5_000 {
		t.Error("hardly anything was compared")
	}
}

func (p *proof) file(t *testing.T, path string) {
	p.slowHere = 0
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := validationfile.DecodeValidationFile(text)
	if err != nil {
		t.Fatal(err)
	}
	e := startFile(t)
	ctx := t.Context()
	if _, err := e.Services().Schema.WriteSchema(e.Context(ctx), &v1.WriteSchemaRequest{Schema: file.Schema.Schema}); err != nil {
		t.Fatalf("write the schema: %v", err)
	}
	objects, asked := load(t, e, file.Relationships.Relationships)
	pinned, _, err := e.Pin(ctx, relation.At{})
	if err != nil {
		t.Fatal(err)
	}
	reflected, err := e.Services().Schema.ReflectSchema(pinned, &v1.ReflectSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var relations []string
	for _, d := range reflected.GetDefinitions() {
		for _, r := range d.GetRelations() {
			relations = append(relations, d.GetName()+"#"+r.GetName())
		}
		for _, r := range d.GetPermissions() {
			relations = append(relations, d.GetName()+"#"+r.GetName())
		}
	}
	p.asserted(t, e, file)
	if len(relations) > 0 {
		p.compareAll(t, pinned, e, rand.New(rand.NewPCG(1, 1)), relations, objects, asked)
	}
}

// load writes relationships and returns their objects by type, and all who are asked about.
func load(t *testing.T, e *engine.Engine, all []spicedb.Relationship) (objects map[string][]string, asked []relation.Subject) {
	t.Helper()
	objects = map[string][]string{}
	add := func(typ, id string) {
		if id != "*" && !slices.Contains(objects[typ], id) {
			objects[typ] = append(objects[typ], id)
		}
	}
	for chunk := range slices.Chunk(all, 500) {
		request := &v1.WriteRelationshipsRequest{}
		for _, r := range chunk {
			request.Updates = append(request.Updates, &v1.RelationshipUpdate{
				Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: spicedb.ToV1Relationship(r),
			})
			add(r.Resource.ObjectType, r.Resource.ObjectID)
			add(r.Subject.ObjectType, r.Subject.ObjectID)
			if s := subjectOf(r.Subject); s.Relation != "" && !slices.Contains(asked, s) && len(asked) < 10 {
				asked = append(asked, s)
			}
		}
		if _, err := e.Services().Permissions.WriteRelationships(e.Context(t.Context()), request); err != nil {
			t.Fatalf("write: %v", err)
		}
	}
	for typ, ids := range objects {
		objects[typ] = ids[:min(len(ids), 40)]
		for _, id := range objects[typ] {
			asked = append(asked, relation.Subject{Object: relation.Object{Type: typ, ID: id}})
		}
	}
	return objects, asked
}

func subjectOf(s spicedb.ObjectAndRelation) relation.Subject {
	out := relation.Subject{Object: relation.Object{Type: s.ObjectType, ID: s.ObjectID}}
	if s.Relation != spicedb.Ellipsis {
		out.Relation = s.Relation
	}
	return out
}

// asserted asks the engine what the file asserts and expects, where no caveat's context is
// needed.
func (p *proof) asserted(t *testing.T, e *engine.Engine, file *validationfile.ValidationFile) {
	t.Helper()
	ask := func(what string, o spicedb.ObjectAndRelation, s relation.Subject, want bool) {
		answers, _, err := e.Check(t.Context(), relation.At{}, relation.Question{
			Object: relation.Object{Type: o.ObjectType, ID: o.ObjectID}, Permission: o.Relation, Subject: s,
		})
		if err != nil || answers[0].Err != nil || answers[0].Allowed != want {
			t.Errorf("%s: %+v, %v", what, answers, err)
		}
		p.outcomes["asserted"]++
	}
	for want, assertions := range map[bool][]blocks.Assertion{true: file.Assertions.AssertTrue, false: file.Assertions.AssertFalse} {
		for _, a := range assertions {
			if len(a.CaveatContext) == 0 {
				ask(a.RelationshipWithContextString, a.Relationship.Resource, subjectOf(a.Relationship.Subject), want)
			}
		}
	}
	for where, expected := range file.ExpectedRelations.ValidationMap {
		for _, x := range expected {
			s := x.SubjectWithExceptions
			if s != nil && !s.Subject.IsCaveated && s.Subject.Subject.ObjectID != spicedb.PublicWildcard {
				ask(string(x.ValidationString), where.ObjectAndRelation, subjectOf(s.Subject.Subject), true)
			}
		}
	}
}
