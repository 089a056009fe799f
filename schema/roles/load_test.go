package roles

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// sample is a small catalogue without a fault.
func sample() map[string]string {
	return map[string]string{
		"roles.json": `[
{"code": "BOSS", "slug": "managing-director", "legacy_code": "BOSS", "urn": "urn:x:boss", "legacy_urn": "urn:l:boss", "name": "B", "name_en": "B", "provider": "ccr", "entity_type": "organisation", "holders": "any", "key_role": true},
{"code": "CLERK", "slug": "clerk", "urn": "urn:x:clerk", "name": "C", "name_en": "C", "provider": "altinn2", "entity_type": "organisation", "holders": "any"},
{"code": "LINK", "slug": "joined-to", "urn": "urn:x:link", "name": "L", "name_en": "L", "provider": "ccr", "entity_type": "organisation", "holders": "organisation", "link": "main_unit"}
]`,
		"implications.json": `[{"role": "managing-director", "implies": ["clerk"]}]`,
		"areas.json":        `[{"code": "area", "name": "A", "name_en": "A", "group": "general"}]`,
		"packages.json": `[
{"id": "1", "code": "farming", "name": "F", "name_en": "F", "provider": "altinn3", "entity_type": "organisation", "area": "area"}
]`,
		"role_packages.json": `[{"role": "clerk", "access": true, "packages": ["farming"]}]`,
	}
}

func loadSample(files map[string]string) error {
	data := fstest.MapFS{}
	for name, text := range files {
		data[name] = &fstest.MapFile{Data: []byte(text), Mode: fs.ModePerm}
	}
	_, err := load(data)
	return err
}

func TestSampleIsWithoutFault(t *testing.T) {
	if err := loadSample(sample()); err != nil {
		t.Fatal(err)
	}
}

// Each fault of the data is found and says what it is about.
func TestFaultsAreFound(t *testing.T) {
	long := strings.Repeat("x", 48)
	for _, tc := range []struct{ file, old, new, want string }{
		{"roles.json", `"CLERK"`, `"boss"`, `role "clerk": "boss" names entry 1 too`},
		{"roles.json", `"urn:x:clerk"`, `"URN:X:BOSS"`, `role "clerk": "urn:x:boss" names entry 1 too`},
		{"roles.json", `"urn:x:clerk"`, `"urn:l:boss"`, `names entry 1 too`},
		{"roles.json", `"slug": "clerk"`, `"slug": "boss"`, `"boss" names entry 1 too`},
		{"roles.json", `"slug": "clerk"`, `"slug": "ab"`, `has 2 characters`},
		{"roles.json", `"slug": "clerk"`, `"slug": "` + long + `xyz"`, `has 51 characters`},
		{"roles.json", `"slug": "clerk"`, `"slug": "self"`, `"self" is taken`},
		{"roles.json", `"slug": "clerk"`, `"slug": "user"`, `"user" is taken`},
		{"roles.json", `"slug": "clerk"`, `"slug": "relation"`, `"relation" is taken`},
		{"roles.json", `"slug": "clerk"`, `"slug": "main-unit"`, `"main_unit" is taken`},
		{"roles.json", `"slug": "clerk"`, `"slug": "has-clerk"`, `begins with has_`},
		{"roles.json", `"slug": "clerk"`, `"slug": "unit-as"`, `begins with unit_`},
		{"roles.json", `"slug": "clerk"`, `"slug": "boss-org"`, `ends in _org`},
		{"roles.json", `"slug": "clerk"`, `"slug": "1clerk"`, `lower-case letters`},
		{"roles.json", `"slug": "clerk"`, `"slug": "clérk"`, `lower-case letters`},
		{"roles.json", `"name": "C"`, `"name": ""`, `role "clerk": name is ""`},
		{"roles.json", `"name": "C"`, `"name": "C "`, `name is "C "`},
		{"roles.json", `"provider": "altinn2"`, `"provider": "altinn9"`, `provider is "altinn9"`},
		{"roles.json", `"holders": "any"},`, `"holders": "all"},`, `holders is "all"`},
		{"roles.json", `"legacy_urn": "urn:l:boss", `, ``, `one of legacy_code and legacy_urn`},
		{"roles.json", `"link": "main_unit"`, `"link": "up"`, `link is "up"`},
		{"roles.json", `"link": "main_unit"`, `"link": "main_unit", "key_role": true`, `a link is held by`},
		{"roles.json", `"holders": "any", "key_role": true`, `"holders": "organisation", "key_role": true`, `no person can hold`},
		{"roles.json", `"holders": "any"},`, `"holders": "any", "no_key_in": ["IKS"]},`, `no_key_in is for key roles`},
		{"roles.json", `"holders": "any"},`, `"holders": "any", "key_holders": true},`, `key_holders is for`},
		{"roles.json", `"holders": "any"},`, `"holders": "any", "keyrole": true},`, `unknown field "keyrole"`},
		{"roles.json", "]", "] []", `text follows`},
		{"implications.json", `"clerk"`, `"nobody"`, `implied role "nobody"`},
		{"implications.json", `"managing-director"`, `"BOSS"`, `role "BOSS": is not in roles.json`},
		{"implications.json", `["clerk"]`, `["clerk", "clerk"]`, `implies clerk twice`},
		{"implications.json", `["clerk"]`, `["joined-to"]`, `a link neither implies`},
		{"implications.json", `}]`, `}, {"role": "clerk", "implies": ["managing-director"]}]`, `implies itself, through clerk`},
		{"implications.json", `["clerk"]`, `["managing-director"]`, `implies itself`},
		{"packages.json", `"area": "area"`, `"area": "field"`, `area "field"`},
		{"packages.json", `"code": "farming"`, `"code": "` + long + `"`, `has 48 characters`},
		{"packages.json", `"code": "farming"`, `"code": "farming", "relation": "Farming"`, `relation "Farming"`},
		{"packages.json", "\n]", `, {"id": "2", "code": "fishing", "urn": "urn:altinn:accesspackage:FARMING", "name": "F", "name_en": "F", "provider": "altinn3", "entity_type": "person", "area": "area"}]`, `"urn:altinn:accesspackage:farming" names entry 1 too`},
		{"role_packages.json", `"clerk"`, `"nobody"`, `role "nobody": is not`},
		{"role_packages.json", `"farming"`, `"fishing"`, `package "fishing"`},
		{"role_packages.json", `["farming"]`, `["farming", "farming"]`, `gives farming twice`},
		{"role_packages.json", `"access": true`, `"assign": true`, `neither access nor delegate`},
		{"role_packages.json", `"access": true`, `"access": true, "unit_type": "esek"`, `unit type is "esek"`},
		{"role_packages.json", `"clerk"`, `"joined-to"`, `gives no packages of its own`},
	} {
		files := sample()
		text := strings.Replace(files[tc.file], tc.old, tc.new, 1)
		if text == files[tc.file] {
			t.Fatalf("%s has no %s", tc.file, tc.old)
		}
		files[tc.file] = text
		if err := loadSample(files); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s with %s: %v, want %s", tc.file, tc.new, err, tc.want)
		}
	}
}

// All faults are reported at once.
func TestFaultsAreJoined(t *testing.T) {
	files := sample()
	files["roles.json"] = strings.Replace(files["roles.json"], `"name": "C"`, `"name": ""`, 1)
	files["packages.json"] = strings.Replace(files["packages.json"], `"area": "area"`, `"area": "field"`, 1)
	files["role_packages.json"] = `[{"role": "nobody", "access": true, "packages": ["farming"]}]`
	err := loadSample(files)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`role "clerk"`, `package "farming"`, `role "nobody"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}
