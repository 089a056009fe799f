package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/protobuf/types/known/structpb"
)

// TestAuthZENExample imports the example twice and asks what its README promises.
func TestAuthZENExample(t *testing.T) {
	i := start(t)
	dir := filepath.Join("..", "..", "..", "..", "schema", "examples", "authzen")
	for range 2 {
		if out := i.run(t, "import", dir); !strings.Contains(out, "relationships") {
			t.Errorf("the report does not count relationships:\n%s", out)
		}
	}
	ask := v1.NewPermissionsServiceClient(i.conn)
	admin, archived, active := map[string]any{"role": "admin"}, map[string]any{"status": "archived"}, map[string]any{"status": "active"}
	for _, q := range []struct {
		who, action, what string
		subject, does, of map[string]any
		want              bool
	}{
		{"alice", "read", "record-1", nil, nil, nil, true},
		{"bob", "read", "record-1", nil, nil, nil, true},
		{"bob", "read", "record-2", nil, nil, nil, true},
		{"carol", "read", "record-1", nil, nil, nil, false},
		{"alice", "read", "record-3", nil, nil, nil, false},
		{"alice", "write", "record-1", nil, nil, nil, true},
		{"alice", "write", "record-1", nil, nil, active, true},
		{"alice", "write", "record-1", nil, nil, archived, false},
		{"bob", "write", "record-1", nil, nil, nil, false},
		{"bob", "write", "record-1", admin, nil, nil, false},
		{"bob", "write", "record-1", admin, nil, archived, true},
		{"alice", "write", "record-2", nil, nil, archived, false},
		{"alice", "write", "record-2", nil, nil, nil, false},
		{"bob", "write", "record-2", admin, nil, archived, true},
		{"bob", "write", "record-2", admin, nil, nil, true},
		{"alice", "delete", "record-1", nil, map[string]any{"soft": true}, nil, true},
		{"alice", "delete", "record-1", nil, map[string]any{"soft": false}, nil, false},
		{"alice", "delete", "record-1", nil, nil, nil, false},
	} {
		entity := func(id string, properties map[string]any) map[string]any {
			e := map[string]any{"id": id}
			if properties != nil {
				e["properties"] = properties
			}
			return e
		}
		given, err := structpb.NewStruct(map[string]any{
			"subject": entity(q.who, q.subject), "action": entity(q.action, q.does), "resource": entity(q.what, q.of), "context": map[string]any{},
		})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := ask.CheckPermission(as(t.Context(), i.admin), &v1.CheckPermissionRequest{
			Resource:    &v1.ObjectReference{ObjectType: "record", ObjectId: q.what},
			Permission:  q.action,
			Subject:     &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: q.who}},
			Context:     given,
			Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION; got != q.want {
			t.Errorf("%s %s %s with %v %v %v: %v", q.who, q.action, q.what, q.subject, q.does, q.of, answer.GetPermissionship())
		}
	}
}
