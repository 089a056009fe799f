package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server"
)

// leveled is a policy with the obligation of an authentication level.
func leveled(policy, level string) string {
	return strings.Replace(policy, "</Policy>", `<ObligationExpressions><ObligationExpression ObligationId="urn:level" FulfillOn="Permit">
  <AttributeAssignmentExpression AttributeId="urn:a" Category="urn:altinn:minimum-authenticationlevel">
    <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">`+level+`</AttributeValue>
  </AttributeAssignmentExpression></ObligationExpression></ObligationExpressions></Policy>`, 1)
}

// TestAccessManagementByPolicy asks what a bakery may act for: a policy of access management
// decides who may, once there is one, with its obligations; and what a key role brought
// before it does not. The end user's own door asks for a scope.
func TestAccessManagementByPolicy(t *testing.T) {
	i := start(t)
	loadDemo(t, i)
	baker := i.userToken(t, bakerUser, bakerParty)
	list := fmt.Sprintf("/accessmanagement/api/v1/%d/authorizedparties", bakery)
	want := func(when, path, token string, status int) {
		t.Helper()
		if got := i.call(t, "GET", path, token, ""); got.status != status {
			t.Errorf("%s: status %d, want %d: %s", when, got.status, status, got.body)
		}
	}
	put := func(text string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "policy.xml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		i.run(t, "policy", "put", "--resource", "altinn_access_management", file)
	}
	want("by a key role, without a policy", list, baker, http.StatusOK)
	want("by nothing, without a policy", list, i.userToken(t, memberUser, memberParty), http.StatusForbidden)
	put(rolePolicy("revi"))
	want("by a key role, against the policy", list, baker, http.StatusForbidden)
	put(rolePolicy("dagl"))
	want("by the policy", list, baker, http.StatusOK)
	want("by nothing, with the policy", list, i.userToken(t, memberUser, memberParty), http.StatusForbidden)
	put(leveled(rolePolicy("dagl"), "3"))
	want("at level 3 of 3", list, baker, http.StatusOK)
	put(leveled(rolePolicy("dagl"), "4"))
	want("at level 3 of 4", list, baker, http.StatusForbidden)
	put(strings.Replace(leveled(rolePolicy("dagl"), "1"), "minimum-authenticationlevel", "something-else", 1))
	want("with an obligation that is not understood", list, baker, http.StatusForbidden)
	i.run(t, "policy", "delete", "--resource", "altinn_access_management")
	want("by a key role, the policy gone", list, baker, http.StatusOK)

	const own = "/accessmanagement/api/v1/enduser/authorizedparties"
	scoped := func(scope string) string {
		t.Helper()
		claims := server.UserClaims(bakerUser, bakerParty, 3)
		claims["scope"] = scope
		token, err := server.SignToken(i.dataDir, claims, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	want("without a scope", own, baker, http.StatusForbidden)
	want("with another scope", own, scoped("openid altinn:accessmanagement/authorizedparties.admin"), http.StatusForbidden)
	want("with the scope", own, scoped("openid altinn:accessmanagement/authorizedparties"), http.StatusOK)
	want("with the portal's scope", own, scoped("altinn:portal/enduser"), http.StatusOK)
	want("with a scope of ours, which a user cannot have", "/accessmanagement/api/v1/serviceowner/authorizedparties", scoped("behalf:admin"), http.StatusMethodNotAllowed)
}
