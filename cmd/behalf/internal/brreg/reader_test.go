package brreg_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/brreg"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// read reads all entries, each as a short text.
func read(t testing.TB, text io.Reader, c brreg.Config) ([]string, brreg.LeftOut, error) {
	t.Helper()
	r, err := brreg.NewReader(text, c)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for {
		entry, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, r.LeftOut(), nil
		}
		if err != nil {
			return all, r.LeftOut(), err
		}
		all = append(all, brief(entry))
	}
}

// brief writes an entry without its file.
func brief(e *behalfv1.ImportEntry) string {
	if a := e.GetAssignment(); a != nil {
		return fmt.Sprintf("%d: %s %s %s", e.GetLine(), a.GetFrom(), a.GetRole(), a.GetTo())
	}
	if u := e.GetUnreadable(); u != nil {
		return fmt.Sprintf("%d: BAD %s %s: %s", e.GetLine(), u.GetReference(), u.GetField(), u.GetMessage())
	}
	p := e.GetParty()
	kind := strings.TrimPrefix(p.GetKind().String(), "PARTY_KIND_")
	return strings.Join(strings.Fields(fmt.Sprintf("%d: %s %s %s %s %s %s %s %s", e.GetLine(), kind, p.GetOrgNumber(), p.GetUnitType(),
		p.GetName(), p.GetMainUnit(), p.GetDeletedOn(), p.GetBirthDate(), p.GetSourceKey())), " ")
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func zipped(t testing.TB, text []byte) io.Reader {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestSample(t *testing.T) {
	for _, tc := range []struct {
		file, source string
		want         []string
		left         brreg.LeftOut
	}{
		{"first/enheter.json", "brreg.enheter", []string{
			"1: ORGANISATION 310000019 AS FJELLHEIM BYGG AS",
			"37: ORGANISATION 310000086 AS SOLVIK REGNSKAP AS",
			"73: ORGANISATION 310000159 ENK NORDMARKA HYTTEUTLEIE NILS DAHL",
			"109: ORGANISATION 310000221 KOMM VESTSKOGEN KOMMUNE",
			"145: ORGANISATION 310000299 ORGL VESTSKOGEN KOMMUNE OPPVEKST",
			"145: org:310000299 ORGL org:310000221",
			"182: ORGANISATION 310000361 AS GAMLE HAVN AS 2021-06-30",
			"222: BAD org:310000507 : the line ends in the midst of a string",
			"256: BANKRUPTCY_ESTATE 310000434 KBO STORVIK TRANSPORT AS KONKURSBO",
			"292: ORGANISATION 310000574 FLI BYGDA IDRETTSLAG",
		}, brreg.LeftOut{}},
		{"first/underenheter.json", "brreg.underenheter", []string{
			"1: SUB_UNIT 310000647 BEDR FJELLHEIM BYGG AS AVD MOLDE org:310000019",
			"36: SUB_UNIT 310000787 BEDR FJELLHEIM BYGG AS AVD ÅLESUND org:310000019",
			"71: SUB_UNIT 310000922 BEDR VESTSKOGEN SKOLE org:310000299",
			"106: SUB_UNIT 310001066 BEDR GAMLE HAVN AS KAI org:310000361 2021-06-30",
			"142: SUB_UNIT 310001139 AAFY BYGDA IDRETTSLAG org:310000574 2022-12-31",
		}, brreg.LeftOut{}},
		{"first/roller.json", "brreg.roller", []string{
			"1: PERSON Kari Nordmann 1975-04-12 310000019/KARI NORDMANN/1975-04-12",
			"1: org:310000019 DAGL key:310000019/KARI NORDMANN/1975-04-12",
			"1: PERSON Ola Tveit Berg 1968-11-03 310000019/OLA TVEIT BERG/1968-11-03",
			"1: org:310000019 LEDE key:310000019/OLA TVEIT BERG/1968-11-03",
			"1: PERSON Per Vik 1980-01-20 310000019/PER VIK/1980-01-20",
			"1: org:310000019 MEDL key:310000019/PER VIK/1980-01-20",
			"1: org:310000019 REGN org:310000086",
			"212: PERSON Anne Lie 1983-02-28 310000086/ANNE LIE/1983-02-28",
			"212: org:310000086 DAGL key:310000086/ANNE LIE/1983-02-28",
			"255: PERSON Nils Dahl 1971-09-15 310000159/NILS DAHL/1971-09-15",
			"255: org:310000159 INNH key:310000159/NILS DAHL/1971-09-15",
			"255: org:310000159 REGN org:310000086",
			"342: PERSON Eva Strand 1962-03-30 310000221/EVA STRAND/1962-03-30",
			"342: org:310000221 LEDE key:310000221/EVA STRAND/1962-03-30",
			"407: PERSON Ola Tveit Berg 1968-11-03 310000299/OLA TVEIT BERG/1968-11-03",
			"407: org:310000299 DAGL key:310000299/OLA TVEIT BERG/1968-11-03",
			"477: BAD org:310000574 : is not JSON: invalid character '\\n' in literal false (expecting 'e')",
			"494: PERSON Mona Rud 1977-08-19 310000434/MONA RUD/1977-08-19",
			"494: org:310000434 BOBE key:310000434/MONA RUD/1977-08-19",
		}, brreg.LeftOut{Resigned: 1, Dead: 1, StruckOff: 1}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			plain := sample(t, tc.file)
			unzipped, err := registerfile.Text(zipped(t, plain))
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]io.Reader{"plain": bytes.NewReader(plain), "gzip": unzipped} {
				got, left, err := read(t, text, brreg.Config{File: tc.file})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				if left != tc.left {
					t.Errorf("%s: left out %+v, want %+v", name, left, tc.left)
				}
			}
			r, err := brreg.NewReader(bytes.NewReader(plain), brreg.Config{File: tc.file})
			if err != nil || r.Source() != tc.source {
				t.Errorf("source is %q, %v", r.Source(), err)
			}
		})
	}
}

// TestSecondSample finds the difference between the samples: one managing director and
// one sub-unit less.
func TestSecondSample(t *testing.T) {
	lacks := map[string][]string{
		"enheter.json":      nil,
		"underenheter.json": {"SUB_UNIT 310000787 BEDR FJELLHEIM BYGG AS AVD ÅLESUND org:310000019"},
		"roller.json": {
			"PERSON Kari Nordmann 1975-04-12 310000019/KARI NORDMANN/1975-04-12",
			"org:310000019 DAGL key:310000019/KARI NORDMANN/1975-04-12",
		},
	}
	for name, want := range lacks {
		entriesOf := func(folder string) (all []string) {
			got, _, err := read(t, bytes.NewReader(sample(t, folder+"/"+name)), brreg.Config{File: name})
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range got {
				_, text, _ = strings.Cut(text, ": ")
				all = append(all, text)
			}
			return all
		}
		first, second := entriesOf("first"), entriesOf("second")
		gone := slices.DeleteFunc(slices.Clone(first), func(s string) bool { return slices.Contains(second, s) })
		if diff := cmp.Diff(want, gone, cmp.Transformer("empty", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
			t.Errorf("%s: gone (-want +got):\n%s", name, diff)
		}
		if len(second)+len(gone) != len(first) {
			t.Errorf("%s: %d and then %d entries, %d gone", name, len(first), len(second), len(gone))
		}
	}
}

func TestMergePersons(t *testing.T) {
	got, _, err := read(t, bytes.NewReader(sample(t, "first/roller.json")), brreg.Config{File: "roller.json", MergePersons: true})
	if err != nil {
		t.Fatal(err)
	}
	var ola []string
	for _, text := range got {
		if strings.Contains(text, "OLA") {
			ola = append(ola, text)
		}
	}
	want := []string{
		"1: PERSON Ola Tveit Berg 1968-11-03 OLA TVEIT BERG/1968-11-03",
		"1: org:310000019 LEDE key:OLA TVEIT BERG/1968-11-03",
		"407: org:310000299 DAGL key:OLA TVEIT BERG/1968-11-03",
	}
	if diff := cmp.Diff(want, ola); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const good = `{"organisasjonsnummer":"310000019","navn":"GOD AS","organisasjonsform":{"kode":"AS"}}`

func TestMalformed(t *testing.T) {
	next := strings.ReplaceAll(strings.ReplaceAll(good, "310000019", "310000086"), "GOD", "NESTE")
	const nextEntry = ": ORGANISATION 310000086 AS NESTE AS"
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"empty array", "[]", nil},
		{"lines", good + "\n" + next + "\n", []string{"1: ORGANISATION 310000019 AS GOD AS", "2" + nextEntry}},
		{"truncated object", "[" + good[:60] + "\n," + next + "]", []string{"1: BAD org:310000019 : the line ends in the midst of a string", "2" + nextEntry}},
		{"brace missing, lines", good[:len(good)-1] + "\n" + next, []string{"1: BAD org:310000019 : an object or array begins where none may stand", "2" + nextEntry}},
		{"brace missing, array", "[" + good[:len(good)-1] + ",\n" + next + "]", []string{"1: BAD org:310000019 : an object or array begins where none may stand", "2" + nextEntry}},
		{"brace missing, one line", "[" + good[:len(good)-1] + "," + next + "]", []string{"1: BAD org:310000019 : an object or array begins where none may stand", "1" + nextEntry}},
		{"brace too many", "[" + good + "}\n," + next + "]", []string{"1: ORGANISATION 310000019 AS GOD AS", "1: BAD  : is not JSON: text that belongs to no object", "2" + nextEntry}},
		{"quote missing", "[" + strings.Replace(good, `"GOD AS"`, `GOD AS"`, 1) + "\n," + next + "]", []string{"1: BAD org:310000019 : the line ends in the midst of a string", "2" + nextEntry}},
		{"quotes missing", "[" + strings.Replace(good, `"GOD AS"`, `GOD AS`, 1) + "\n," + next + "]", []string{"1: BAD org:310000019 : is not JSON: invalid character 'G' looking for beginning of value", "2" + nextEntry}},
		{"bracket for brace", "[" + good[:len(good)-1] + "]\n," + next + "]", []string{"1: BAD org:310000019 : a bracket closes that is not open", "2" + nextEntry}},
		{"stray text", "[ oops,\n" + next + "]", []string{"1: BAD  : is not JSON: text that belongs to no object", "2" + nextEntry}},
		{"wrong type", `[{"organisasjonsnummer":310000019}` + "," + next + "]", []string{"1: BAD  organisasjonsnummer: is a JSON number, not what the format has there", "1" + nextEntry}},
		{"wrong type on its line", "[{\n\"organisasjonsnummer\":\"310000019\",\n\"navn\":[]}]", []string{"3: BAD org:310000019 navn: is a JSON array, not what the format has there"}},
		{"no name", `[{"organisasjonsnummer":"310000019","organisasjonsform":{"kode":"AS"}}]`, []string{"1: BAD org:310000019 navn: is missing"}},
		{"short number", strings.Replace(good, "310000019", "31000001", 1), []string{"1: BAD org:31000001 orgNumber: is not nine digits"}},
		{"not UTF-8", strings.Replace(good, "GOD", "G\xd8D", 1), []string{"1: BAD org:310000019 : is not UTF-8"}},
		{"last object without end", "[" + next + ",\n" + good[:70] + "]", []string{"1" + nextEntry, "2: BAD org:310000019 : a bracket closes that is not open"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _, err := read(t, strings.NewReader(tc.text), brreg.Config{File: "x", Kind: brreg.Enheter})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestIncomplete reads files that end too early: what they lack must not pass for removed.
func TestIncomplete(t *testing.T) {
	_, _, err := read(t, strings.NewReader("["+good+",\n"), brreg.Config{File: "x"})
	if err == nil || !strings.Contains(err.Error(), "incomplete") {
		t.Errorf("an array without end: %v", err)
	}
	var whole bytes.Buffer
	if _, err := io.Copy(&whole, zipped(t, bytes.Repeat([]byte(good+"\n"), 1000))); err != nil {
		t.Fatal(err)
	}
	cut, err := registerfile.Text(bytes.NewReader(whole.Bytes()[:whole.Len()/2]))
	if err != nil {
		t.Fatal(err)
	}
	r, err := brreg.NewReader(cut, brreg.Config{File: "x", Kind: brreg.Enheter})
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a gzip file: %v", err)
	}
}

func TestDetect(t *testing.T) {
	for _, tc := range []struct {
		head, name string
		want       brreg.Kind
	}{
		{`[{"organisasjonsnummer":"1","rollegrupper":[{"x":{"organisasjonsform":{"kode":"AS"}}}]}]`, "x", brreg.Roller},
		{`[ { "organisasjonsform" : { "kode" : "BEDR"`, "enheter.json", brreg.Underenheter},
		{`[ { "organisasjonsform" : { "kode" : "AS"`, "underenheter.json", brreg.Enheter},
		{`[]`, "/tmp/Underenheter_2024.json.gz", brreg.Underenheter},
		{`[]`, "roller-totalbestand.json", brreg.Roller},
		{`[]`, "x", ""},
	} {
		got, err := brreg.Detect([]byte(tc.head), tc.name)
		if got != tc.want || (err != nil) != (tc.want == "") {
			t.Errorf("%s %s: %q, %v; want %q", tc.head, tc.name, got, err, tc.want)
		}
	}
}

func TestLongObject(t *testing.T) {
	text := `[{"organisasjonsnummer":"310000019","navn":"` + strings.Repeat("x", 5<<20) + "\"},\n" + good + "]"
	got, _, err := read(t, strings.NewReader(text), brreg.Config{File: "x", Kind: brreg.Enheter})
	want := []string{"1: BAD org:310000019 : the object is longer than 4 MiB", "2: ORGANISATION 310000019 AS GOD AS"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// FuzzReader reads any text as each kind of file. It must end and name lines that exist,
// and an object that begins a line must be found whatever stands before it.
func FuzzReader(f *testing.F) {
	for _, name := range []string{"first/enheter.json", "first/underenheter.json", "first/roller.json"} {
		f.Add(sample(f, name))
	}
	for _, text := range []string{"", "[]", "{", good, good + "\n" + good, `{"organisasjonsnummer":"1","a":"\"`, "]}[{", `[{"a":{"organisasjonsnummer":`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		text = append(text, "\n"+good...)
		for _, kind := range []brreg.Kind{brreg.Enheter, brreg.Underenheter, brreg.Roller} {
			last := fuzzed(t, text, kind)
			if kind == brreg.Enheter && last.GetParty().GetName() != "GOD AS" {
				t.Errorf("the last object was not found; the last entry is %v", last)
			}
		}
	})
}

func fuzzed(t *testing.T, text []byte, kind brreg.Kind) (last *behalfv1.ImportEntry) {
	t.Helper()
	lines := int64(bytes.Count(text, []byte{'\n'}) + 1)
	r, err := brreg.NewReader(bytes.NewReader(text), brreg.Config{File: "x", Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	for {
		entry, err := r.Next()
		if err != nil {
			return last
		}
		if entry.GetLine() < 1 || entry.GetLine() > lines {
			t.Fatalf("line %d of %d", entry.GetLine(), lines)
		}
		last = entry
	}
}
