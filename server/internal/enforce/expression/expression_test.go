package expression_test

import (
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/enforce/expression"
)

// TestHolds evaluates expressions of Mia-Platform's documentation and what goes beyond them.
func TestHolds(t *testing.T) {
	kari := expression.Facts{
		Groups: []string{"admin", "in", "a b", "system:users"}, Permissions: []string{"read:orders", "view"}, ClientType: "app", Backoffice: true,
	}
	for _, row := range []struct {
		text         string
		kari, nobody bool
	}{
		{"true", true, true},
		{"1", true, true},
		{"false", false, false},
		{"0", false, false},
		{"groups.admin", true, false},
		{"groups.users", false, false},
		{"groups.in", true, false},
		{"groups.Admin", false, false}, // names are told apart by case
		{`groups["a b"]`, true, false},
		{`groups['system:users']`, true, false},
		{`groups.admin || permissions["read:orders"]`, true, false},
		{"permissions.view", true, false},
		{`"admin" in groups`, true, false},
		{`"read:orders" in permissions`, true, false},
		{`"admin" in permissions`, false, false},
		{`["admin","a b"] in groups`, true, false},
		{`["admin","other"] in groups`, false, false}, // all of them
		{`clientType == "app"`, true, false},
		{`clientType === 'app'`, true, false},
		{`'app' == clientType`, true, false},
		{`clientType != "app"`, false, true},
		{`clientType !== "web"`, true, true},
		{`clientType in ["web", "app"]`, true, false},
		{"isBackoffice", true, false},
		{"isBackoffice && groups.admin", true, false},
		{"isBackoffice == true", true, false},
		{"isBackoffice === 0", false, true},
		{"!(groups.admin)", false, true},
		{"!isBackoffice", false, true},
		{"!groups.admin", false, true},
		{"!!groups.admin", true, false},
		{"(clientType === 'app' || clientType === 'web') && (groups.admin || groups.users)", true, false},
		{"groups.admin || groups.users && false", true, false},        // && before ||
		{"true || true && false", true, true},                         //
		{"(true || true) && false", false, false},                     //
		{"false == false && false", false, false},                     // == before &&
		{"!false == false", false, false},                             // ! before ==
		{"groups.users == groups.other", true, true},                  //
		{"false == false == true", true, true},                        // from the left
		{" groups . admin\n\t&&\r\ngroups [ \"a b\" ] ", true, false}, //
		{`"a\"b" in groups || "\\" in groups || '\'' == clientType`, false, false},
		{"((((groups.admin))))", true, false},
	} {
		e, err := expression.Parse(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if got := e.Holds(kari); got != row.kari {
			t.Errorf("%s: %t of Kari", row.text, got)
		}
		if got := e.Holds(expression.Facts{}); got != row.nobody {
			t.Errorf("%s: %t of nobody", row.text, got)
		}
	}
	if (expression.Expression{}).Holds(kari) {
		t.Error("the zero expression holds")
	}
}

// TestFaults has everything that means nothing refused when it is read.
func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "a value is missing",
		" ":                              "at the end",
		"groups":                         "is a set, not a condition",
		"clientType":                     "is a text",
		`"admin"`:                        "is a text",
		`["a"]`:                          "is a list",
		"group.admin":                    `"group" is not known`,
		"admin":                          "at character 1",
		"user.id == 1":                   `"user" is not known`,
		"isbackoffice":                   `"isbackoffice" is not known`,
		"groups.admin && shoe":           "at character 17",
		"groups.":                        "a name is missing",
		`groups."admin"`:                 "a name is missing",
		"groups[admin]":                  "a name is missing",
		`groups["admin"`:                 "[ is not closed",
		"groups.my-group":                `'-' means nothing`,
		"permissions.read:orders":        `':' means nothing`,
		"permissions.users.read":         "is written",
		`permissions["a"]["b"]`:          "is written",
		"clientType.x":                   "only groups and permissions",
		"true.x":                         "only groups and permissions",
		"groups.admin groups.users":      "cannot follow",
		"groups.admin)":                  "cannot follow",
		"(groups.admin":                  "( is not closed",
		"groups.admin &&":                "a value is missing",
		"|| true":                        "a value is missing",
		"true & false":                   "'&' means nothing",
		"groups.admin = true":            "'=' means nothing",
		"2":                              `"2" is not 0 or 1`,
		"01":                             "is not 0 or 1",
		`clientType == 1`:                "a text before it and a condition",
		`groups == permissions`:          "a set before it and a set",
		`groups.admin == "yes"`:          "a condition before it and a text",
		`"a" in clientType`:              "a text before it and a text",
		"groups in permissions":          "a set before it and a set",
		"groups.admin in groups":         "a condition before it",
		`! "a"`:                          "! needs a condition",
		`"a" && true`:                    "needs a condition on both sides",
		"groups || permissions":          "needs a condition on both sides",
		`[] in groups`:                   "one at least",
		`["a",] in groups`:               "one at least",
		`["a" "b"] in groups`:            "[ is not closed",
		`"" in groups`:                   "empty",
		`"a`:                             "does not end",
		`"\n" in groups`:                 "an escape other",
		"\"\x00\" in groups":             "control character",
		"\"\xff\" in groups":             "not UTF-8",
		"groups.admin; true":             "';' means nothing",
		"require('x')":                   `"require" is not known`,
		strings.Repeat("(", 65) + "1":    "deeper than 64",
		strings.Repeat("!", 65) + "true": "deeper than 64",
		strings.Repeat(" ", 17<<10):      "longer than",
	} {
		if e, err := expression.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, does not say %s", text, err, want)
		} else if e.Holds(expression.Facts{Groups: []string{"admin"}, ClientType: "x", Backoffice: true}) {
			t.Errorf("%.60q holds", text)
		}
	}
}

// FuzzParse has no text end the process, and none hold of nobody that only names what
// somebody has.
func FuzzParse(f *testing.F) {
	f.Add(`(clientType === 'A' || !(isBackoffice)) && (groups["a"] || "b" in permissions) != false`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := expression.Parse(text)
		if held := e.Holds(expression.Facts{}); err != nil && held {
			t.Errorf("%q: a fault, and it holds", text)
		}
	})
}
