package relation_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

func TestRight(t *testing.T) {
	const guid = "3FA85F64-5717-4562-b3fc-2c963f66afa6"
	for _, c := range []struct {
		resource, action, instance, task string
		want                             string // empty: refused
	}{
		{"app_skd_taxreport", "read", "", "", "100/app_skd_taxreport/read"},
		{"skd/taxreport", "read", "", "", "100/app_skd_taxreport/read"},
		{"urn:altinn:resource:nav_x", "read", "", "", "100/nav_x/read"},
		{"nav_x", "read", "500/" + guid, "", "100/nav_x/read/3fa85f64-5717-4562-b3fc-2c963f66afa6"},
		{"nav_x", "read", "urn:altinn:instance-id:500/" + guid, "", "100/nav_x/read/3fa85f64-5717-4562-b3fc-2c963f66afa6"},
		{"nav_x", "read", "urn:altinn:dialog-id:1", "", "100/nav_x/read/urn=3Aaltinn=3Adialog-id=3A1"},
		{"nav_x", "read", "", "Task_1", "100/nav_x/read/task=3ATask_1"},
		{"nav_x", "read", "1", "Task_1", "100/nav_x/read/1/task=3ATask_1"},
		{"nav_x", "read", "500/" + guid, "Task_1", "100/nav_x/read/3fa85f64-5717-4562-b3fc-2c963f66afa6/task=3ATask_1"},
		{"nav_x", "read", "task:Task_1", "", ""},
		{"nav_x", "", "", "", ""},
		{"", "read", "", "", ""},
	} {
		got, err := relation.Right(100, c.resource, c.action, c.instance, c.task)
		if (err == nil) != (c.want != "") || got.ID != c.want {
			t.Errorf("Right(%q, %q, %q, %q) = %q, %v; want %q", c.resource, c.action, c.instance, c.task, got.ID, err, c.want)
			continue
		}
		if err != nil {
			continue
		}
		parts, ok := relation.ParseRight(got)
		if again, err := relation.Right(parts.Party, parts.Resource, parts.Action, parts.Instance, parts.Task); !ok || err != nil || again != got {
			t.Errorf("%s says %+v, %v, which is %s", got, parts, ok, again)
		}
	}
	for _, id := range []string{"", "100", "100/a", "x/a/b", "100/a/b/c/d", "100/a/b/task=3Ac/d", "100/a/b/task=3A", "100/a/b/c/task=3Ad/e", "100/a=2/b"} {
		if r, ok := relation.ParseRight(relation.Object{Type: relation.TypeRight, ID: id}); ok {
			t.Errorf("ParseRight(%q) = %+v", id, r)
		}
	}
}
