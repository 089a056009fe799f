package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestNUL registers a name that not every store can keep. Each refuses it, and names the field.
func TestNUL(t *testing.T) {
	for name, datastore := range map[string]func(*testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return pg.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			i := startOn(t, datastore(t), t.TempDir(), nil)
			got := i.call(t, http.MethodPost, "/v1/register/parties", i.admin,
				`{"source":"test","party":{"partyId":50000001,"kind":"PARTY_KIND_PERSON","name":"KA\u0000RI","nationalId":"07124912037"}}`)
			if got.status != http.StatusBadRequest || !strings.Contains(string(got.body), "party.name") {
				t.Errorf("%d %s, want a refusal of party.name", got.status, got.body)
			}
		})
	}
}
