package evaluation

import (
	"encoding/json"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// What a question calls an object leads to the object that is shown by that name.
func FuzzObjectID(f *testing.F) {
	for _, id := range []string{"record-1", "alice@example.com", "a/b", "a b/c", "=40", "a=40b", "*", "", "\xff", "=2A=40"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		named := objectID(id)
		if named == "" {
			return
		}
		if !plainID.MatchString(named) {
			t.Fatalf("objectID(%q) = %q, which the graph cannot have", id, named)
		}
		if back := objectID(shownID(named)); back != named {
			t.Fatalf("%q is shown as %q, which is %q", named, shownID(named), back)
		}
		if plainID.MatchString(id) && named != id {
			t.Fatalf("objectID(%q) = %q", id, named)
		}
	})
}

// Whatever properties there are, a question is turned into attributes or refused, and none
// of the attributes that name subject, action and resource is changed by them.
func FuzzAsRequest(f *testing.F) {
	f.Add(`{"role":"admin","n":1,"deep":{"a":[1,{"b":true}]},"urn:x":3,"type":"x"}`)
	f.Add(`{"urn:altinn:resource":"x"}`)
	f.Add(`{"id":"other","":{"":null},"urn:behalf:subject:id":"x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var properties map[string]any
		if json.Unmarshal([]byte(text), &properties) != nil {
			return
		}
		q := Question{
			Subject: Entity{"user", "7", properties}, Action: Action{"read", properties},
			Resource: Entity{"app", "ttd/app", properties}, Context: properties,
		}
		for _, ref := range append(refs(q.Resource), policy.Ref{}, policy.Type("app"), policy.Resource("x")) {
			r, err := asRequest(&q, ref)
			if err != nil {
				continue
			}
			for id, want := range map[string]string{
				subjectID: "7", idUser: "7", ofSubject + "id": "7", actionID: "read", resourceID: "ttd/app",
			} {
				if got := texts(r, id); len(got) != 1 || got[0] != want {
					t.Fatalf("%s: %s is %q, want %q", text, id, got, want)
				}
			}
		}
	})
}

func texts(r *xacml.Request, id string) (all []string) {
	for _, c := range r.Categories {
		for _, a := range c.Attributes {
			if a.ID != id || c.Category == xacml.EnvironmentCategory {
				continue
			}
			for _, v := range a.Values {
				all = append(all, v.Text)
			}
		}
	}
	return all
}
