package native_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/native"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

const sampleFile = "testdata/sample.jsonl"

func entries(t testing.TB, text io.Reader, source string) []*behalfv1.ImportEntry {
	t.Helper()
	r, err := native.NewReader(text, "x", source)
	if err != nil {
		t.Fatal(err)
	}
	var all []*behalfv1.ImportEntry
	for {
		entry, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry)
	}
}

func delegated(line int64, record *behalfv1.DelegationRecord) *behalfv1.ImportEntry {
	return &behalfv1.ImportEntry{File: "x", Line: line, Entry: &behalfv1.ImportEntry_Delegation{Delegation: record}}
}

func TestSample(t *testing.T) {
	place := func(line int64) registerfile.Place { return registerfile.Place{File: "x", Line: line} }
	want := []*behalfv1.ImportEntry{
		place(2).Party(&behalfv1.PartyRecord{
			Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, PartyId: 50076451, PartyUuid: "35042029-f290-473c-9770-2e256bb50d3b",
			OrgNumber: "910042963", Name: "SKROVA OG STANGHELLE", UnitType: "AS",
		}),
		place(3).Party(&behalfv1.PartyRecord{
			Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, PartyId: 50074838, OrgNumber: "910042971", Name: "TÅRNÅSEN OG VARTDAL",
			UnitType: "BEDR", MainUnit: "org:910042963", DeletedOn: "2020-02-29",
		}),
		place(5).Party(&behalfv1.PartyRecord{
			Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, PartyId: 50002598, NationalId: "07124912037", Name: "KASPER BØRSTAD",
			BirthDate: "1949-12-07", UserId: 20001337, Login: true,
		}),
		place(6).Party(&behalfv1.PartyRecord{
			Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "ANNE LIE", BirthDate: "1983-02-28", DiedOn: "2023-01-01",
			SourceKey: "910042963/ANNE LIE/1983-02-28",
		}),
		place(7).Party(&behalfv1.PartyRecord{
			Kind: behalfv1.PartyKind_PARTY_KIND_SELF_IDENTIFIED, PartyId: 50002599, Name: "epost:a@b.no", UserId: 20001338, Login: true,
		}),
		place(8).Party(&behalfv1.PartyRecord{
			Kind: behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE, OrgNumber: "910042980", Name: "BO", UnitType: "KBO",
		}),
		place(9).Assignment(&behalfv1.AssignmentRecord{From: "org:910042963", Role: "DAGL", To: "party:50002598"}),
		place(10).Assignment(&behalfv1.AssignmentRecord{
			From: "org:910042963", Role: "urn:altinn:external-role:ccr:styreleder", To: "key:910042963/ANNE LIE/1983-02-28",
			ExpiresAt: &timestamppb.Timestamp{Seconds: 1924988399},
		}),
		delegated(11, &behalfv1.DelegationRecord{
			From: "org:910042963", To: "party:50002598", Resource: "app_skd_taxreport", Action: "read", Task: "Task_1",
			GivenBy: 20001337, GivenAt: &timestamppb.Timestamp{Seconds: 1767225600},
		}),
		delegated(12, &behalfv1.DelegationRecord{
			From: "org:910042963", Via: "org:910042980", To: "systemuser:47caea5b-a80b-4343-b1d3-31eb523a4e28", Package: "regnskapsforer-lonn",
			ExpiresAt: &timestamppb.Timestamp{Seconds: 1924988399}, GivenWith: "portal",
		}),
	}
	plain, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	windows := bytes.ReplaceAll(append([]byte("\xef\xbb\xbf"), plain...), []byte{'\n'}, []byte("\r\n"))
	for name, file := range map[string][]byte{"plain": plain, "gzip": zipped.Bytes(), "mark and CRLF": windows} {
		text, err := registerfile.Text(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, entries(t, text, ""), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHeader(t *testing.T) {
	const party = `{"kind":"party","type":"person","name":"A"}`
	for _, tc := range []struct{ text, flag, source, err string }{
		{text: `{"kind":"header","format":"behalf/v1","source":"demo"}`, source: "demo"},
		{text: `{"kind":"header","format":"behalf/v1","source":"demo"}`, flag: "other", source: "other"},
		{text: "\n\n" + party, flag: "other", source: "other"},
		{text: party, err: "x:1: has no header that names its source; name it with --source"},
		{text: `{"kind":"header","format":"behalf/v1"}`, err: "x:1: has no header that names its source; name it with --source"},
		{text: "\n" + `{"kind":"header","format":"behalf/v2","source":"demo"}`, err: `x:2: header: format is "behalf/v2"; this version reads "behalf/v1"`},
		{text: `{"kind":"header","format":"behalf/v1","sauce":"demo"}`, err: "x:1: header: sauce: is no field of a header"},
		{text: `{"kind":"header","format":"behalf/v1","source":7}`, flag: "other", err: "x:1: header: source: is a number; write a string"},
		{text: `{"kind":"header","format":`, flag: "other", err: "x:1: header: format: the JSON ends too early"},
		{text: " \n", flag: "other", err: "x: is empty"},
	} {
		r, err := native.NewReader(strings.NewReader(tc.text), "x", tc.flag)
		switch {
		case tc.err != "" && (err == nil || err.Error() != tc.err):
			t.Errorf("%s: %v, want %s", tc.text, err, tc.err)
		case tc.err == "" && err != nil:
			t.Errorf("%s: %v", tc.text, err)
		case tc.err == "" && r.Source() != tc.source:
			t.Errorf("%s: source %q, want %q", tc.text, r.Source(), tc.source)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for _, tc := range []struct{ name, line, reference, field, message string }{
		{"no JSON", `party`, "", "", "is not a JSON object"},
		{"cut", `{"kind":"party","orgNumber":"910042963","name":"A`, "org:910042963", "name", "the JSON ends too early"},
		{"cut after a value", `{"kind":"party","orgNumber":"910042963"`, "org:910042963", "", "the JSON ends too early"},
		{"comma missing", `{"kind":"party" "type":"person"}`, "", "", "is not JSON: invalid character '\"' after object key:value pair"},
		{"two objects", `{"kind":"party"}{"kind":"party"}`, "", "", "has text after the object"},
		{"array", `[]`, "", "", "is not a JSON object"},
		{"not UTF-8", "{\"kind\":\"party\",\"name\":\"\xe5\"}", "", "", "is not UTF-8"},
		{"no kind", `{"type":"person","name":"A"}`, "", "kind", "is missing; write party, assignment, delegation, system-user, access-list or resource"},
		{"kind of another case", `{"Kind":"party"}`, "", "kind", "is missing; write party, assignment, delegation, system-user, access-list or resource"},
		{"a delegation of nothing", `{"kind":"delegation","from":"org:910042963","to":"party:1"}`, "org:910042963", "package",
			"is missing; write a package, or a resource and an action"},
		{"a delegation of two things", `{"kind":"delegation","from":"org:910042963","to":"party:1","package":"a","resource":"b"}`, "org:910042963", "package",
			"stands beside resource; write one of them"},
		{"a delegation to no system user", `{"kind":"delegation","from":"org:910042963","to":"systemuser:1","package":"a"}`, "org:910042963", "to",
			"is no reference, such as org:910042963, party:50002598, uuid:…, nin:… or key:…"},
		{"a delegation by nobody", `{"kind":"delegation","to":"party:1","package":"a"}`, "", "from", "is missing"},
		{"a delegation until some day", `{"kind":"delegation","from":"party:2","to":"party:1","package":"a","expiresAt":"soon"}`, "party:2", "expiresAt",
			"is not a time, such as 2030-12-31T23:59:59Z"},
		{"other kind", `{"kind":"user"}`, "", "kind", `is "user"; write party, assignment, delegation, system-user, access-list or resource`},
		{"late header", `{"kind":"header","format":"behalf/v1"}`, "", "kind", "is header; a header is the first line"},
		{"unknown field", `{"kind":"party","type":"person","partyId":7,"nmae":"A"}`, "party:7", "nmae", "is no field of a party"},
		{"field of the other kind", `{"kind":"assignment","from":"org:910042963","role":"DAGL","to":"party:1","name":"A"}`, "org:910042963", "name", "is no field of an assignment"},
		{"twice", `{"kind":"party","partyId":7,"type":"person","name":"A","name":"B"}`, "party:7", "name", "is given twice"},
		{"twice, by escape", `{"kind":"party","partyId":7,"type":"person","name":"A","n\u0061me":"B"}`, "party:7", "name", "is given twice"},
		{"no type", `{"kind":"party","name":"A"}`, "", "type", "is missing; write one of person, organisation, sub-unit, self-identified, bankruptcy-estate"},
		{"other type", `{"kind":"party","type":"company","name":"A"}`, "", "type", `is "company"; write one of person, organisation, sub-unit, self-identified, bankruptcy-estate`},
		{"number for text", `{"kind":"party","type":"organisation","orgNumber":910042963,"name":"A"}`, "", "orgNumber", "is a number; write a string"},
		{"text for number", `{"kind":"party","type":"person","partyId":"7","name":"A"}`, "", "partyId", "is a string; write an integer"},
		{"fraction", `{"kind":"party","type":"person","partyId":7.0,"name":"A"}`, "", "partyId", "is not an integer; write an integer"},
		{"huge", `{"kind":"party","type":"person","partyId":99999999999999999999,"name":"A"}`, "", "partyId", "is too great a number; write an integer"},
		{"null", `{"kind":"party","type":"person","name":null}`, "", "name", "is null; write a string"},
		{"text for flag", `{"kind":"party","type":"person","name":"A","login":"yes"}`, "", "login", "is a string; write true or false"},
		{"no name", `{"kind":"party","type":"person","nationalId":"07124912037"}`, "nin:07124912037", "name", "is missing"},
		{"short number", `{"kind":"party","type":"organisation","orgNumber":"91004296","name":"A"}`, "org:91004296", "orgNumber", "is not nine digits"},
		{"no day", `{"kind":"party","type":"person","partyId":7,"name":"A","birthDate":"1949-02-30"}`, "party:7", "birthDate", "is no day of the calendar"},
		{"no UUID", `{"kind":"party","type":"person","partyUuid":"7","name":"A"}`, "uuid:7", "partyUuid", "is not a UUID"},
		{"main unit", `{"kind":"party","type":"sub-unit","partyId":7,"name":"A","mainUnit":"910042963"}`, "party:7", "mainUnit", "is no reference, such as org:910042963, party:50002598, uuid:…, nin:… or key:…"},
		{"no from", `{"kind":"assignment","role":"DAGL","to":"party:1"}`, "", "from", "is missing"},
		{"bad to", `{"kind":"assignment","from":"party:1","role":"DAGL","to":"person:1"}`, "party:1", "to", "is no reference, such as org:910042963, party:50002598, uuid:…, nin:… or key:…"},
		{"no time", `{"kind":"assignment","from":"party:1","role":"DAGL","to":"party:2","expiresAt":"2030-12-31"}`, "party:1", "expiresAt", "is not a time, such as 2030-12-31T23:59:59Z"},
		{"long", `{"kind":"party","type":"person","name":"` + strings.Repeat("a", 1<<20) + `"}`, "", "", "the line is longer than 1 MiB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const after = `{"kind":"party","type":"person","name":"AFTER"}`
			const before = `{"kind":"header","format":"behalf/v1","source":"x"}`
			got := entries(t, strings.NewReader(before+"\n"+tc.line+"\n"+after), "")
			if len(got) != 2 || got[1].GetParty().GetName() != "AFTER" || got[1].GetLine() != 3 {
				t.Fatalf("got %v; want an entry and the one after it", got)
			}
			want := registerfile.Place{File: "x", Line: 2, Reference: tc.reference}.Unreadable(tc.field, tc.message)
			if diff := cmp.Diff(want, got[0], protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSchema holds the JSON Schema against the reader: what the one allows, the other reads.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../../schema/native.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := validate(schema, line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{
		`{"kind":"party","type":"person","nmae":"A"}`, `{"kind":"party","type":"person","name":7}`, `{"kind":"party","type":"person"}`,
		`{"kind":"assignment","from":"party:1","role":"DAGL","to":"1"}`, `{"kind":"header","format":"behalf/v2"}`,
	} {
		if validate(schema, line) == nil {
			t.Errorf("%s: the schema allows it", line)
		}
	}
}

func validate(schema *jsonschema.Schema, line string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// TestSchemaFields compares the fields of the schema with those that the reader takes.
func TestSchemaFields(t *testing.T) {
	text, err := os.ReadFile("../../../../schema/native.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"party", "assignment"} {
		for field := range schema.Defs[kind].Properties {
			// A field that the reader knows is refused for its type, not as unknown.
			line := fmt.Sprintf(`{"kind":%q,"type":"person","name":"A","from":"party:1","role":"X","to":"party:1",%q:[]}`, kind, field)
			got := entries(t, strings.NewReader(line), "x")[0].GetUnreadable()
			if strings.HasPrefix(got.GetMessage(), "is no field") && got.GetField() == field {
				t.Errorf("%s of %s: %s", field, kind, got.GetMessage())
			}
		}
	}
}

// FuzzReader reads any text. It must end, name lines in order that exist, and read on
// after whatever it could not make out.
func FuzzReader(f *testing.F) {
	text, err := os.ReadFile(sampleFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	for line := range bytes.Lines(text) {
		f.Add(line)
	}
	f.Add([]byte("{\"kind\":\"party\",\"a\":{\"b\":[1,2]},\"\":\"\"}\n\r\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		text = append(text, "\n"+`{"kind":"party","type":"person","name":"AFTER"}`...)
		lines := int64(bytes.Count(text, []byte{'\n'}) + 1)
		r, err := native.NewReader(bytes.NewReader(text), "x", "x")
		if err != nil {
			return // the header is wrong
		}
		last := &behalfv1.ImportEntry{}
		for {
			entry, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if entry.GetLine() <= last.GetLine() || entry.GetLine() > lines {
				t.Fatalf("line %d after %d, of %d", entry.GetLine(), last.GetLine(), lines)
			}
			last = entry
		}
		if last.GetParty().GetName() != "AFTER" || last.GetLine() != lines {
			t.Errorf("the last line was read as %v", last)
		}
	})
}
