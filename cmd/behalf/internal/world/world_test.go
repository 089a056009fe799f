package world_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/native"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
	"github.com/behalf-authz/behalf/schema/roles"
)

func catalogue(t *testing.T) *roles.Catalogue {
	t.Helper()
	c, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func made(t *testing.T, parties int, seed uint64) *world.World {
	t.Helper()
	w, err := world.New(world.Shares(parties, seed), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestSameSeedSameBytes(t *testing.T) {
	c := catalogue(t)
	save := func(seed uint64) map[string][]byte {
		dir := t.TempDir()
		w, err := world.Make(world.Shares(2000, seed), dir)
		if err != nil {
			t.Fatal(err)
		}
		o := world.NewOracle(w, c, time.Now())
		if err := o.Count(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Save(dir, o.Rows(w, 300, seed)); err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		for _, name := range []string{world.WorldFile, world.OracleFile, world.UsersFile} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = text
		}
		return files
	}
	first, second, other := save(1), save(1), save(2)
	for name := range first {
		if !bytes.Equal(first[name], second[name]) {
			t.Errorf("%s differs between two runs with one seed", name)
		}
		if bytes.Equal(first[name], other[name]) {
			t.Errorf("%s is the same for two seeds", name)
		}
	}
}

func TestCounts(t *testing.T) {
	c := catalogue(t)
	for _, tc := range []struct {
		parties int
		want    []int
	}{
		{20, []int{1}}, {200, []int{1, 100}}, {2000, []int{1, 100, 1000}}, {20000, []int{1, 100, 1000, 10000}},
	} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%d/%d", tc.parties, seed), func(t *testing.T) {
				w := made(t, tc.parties, seed)
				if len(w.Parties) != tc.parties {
					t.Errorf("%d parties, want %d", len(w.Parties), tc.parties)
				}
				o := world.NewOracle(w, c, time.Now())
				if err := o.Count(w); err != nil {
					t.Error(err)
				}
				var got []int
				for _, u := range w.Users {
					got = append(got, len(u.Parties))
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("counts (-want +got):\n%s", diff)
				}
			})
		}
	}
	for _, c := range []world.Config{
		world.Shares(19, 1), {Organisations: 5, SubUnits: 10, Persons: 10}, {Organisations: 600, SubUnits: -1, Persons: 20}, {Organisations: 20_000, Persons: 4}, {Organisations: 100, Persons: 100, Assignments: 2001},
	} {
		if _, err := world.New(c, io.Discard); err == nil {
			t.Errorf("%+v was made", c)
		}
	}
}

// TestKinds makes a world of other shares, and fills it up with deputies.
func TestKinds(t *testing.T) {
	w, err := world.New(world.Config{Organisations: 1200, SubUnits: 700, Persons: 5600, Assignments: 6000, Seed: 1}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	for _, p := range w.Parties {
		kinds[p.Type]++
	}
	organised, natural := kinds["organisation"]+kinds["bankruptcy-estate"], kinds["person"]+kinds["self-identified"]
	if organised != 1200 || kinds["sub-unit"] != 700 || natural != 5600 {
		t.Errorf("made were %v", kinds)
	}
	if len(w.Assignments) != 6000 {
		t.Errorf("%d assignments, want 6000", len(w.Assignments))
	}
	if err := world.NewOracle(w, catalogue(t), time.Now()).Count(w); err != nil {
		t.Error(err)
	}
}

// TestReadable reads a world by the reader of its format, which must not refuse a line.
func TestReadable(t *testing.T) {
	var text bytes.Buffer
	w, err := world.New(world.Shares(2000, 1), &text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := native.NewReader(&text, world.WorldFile, "")
	if err != nil {
		t.Fatal(err)
	}
	parties, assignments, subUnits := 0, 0, 0
	for {
		entry, err := r.Next()
		if err != nil {
			break
		}
		if u := entry.GetUnreadable(); u != nil {
			t.Fatalf("line %d: %v", entry.GetLine(), u)
		}
		if entry.GetAssignment() != nil {
			assignments++
			continue
		}
		parties++
		if entry.GetParty().GetMainUnit() != "" {
			subUnits++
		}
	}
	if parties != 2000 || subUnits != 900 || assignments != len(w.Assignments) {
		t.Errorf("%d parties, %d sub-units, %d assignments of %d", parties, subUnits, assignments, len(w.Assignments))
	}
}

func TestRows(t *testing.T) {
	w := made(t, 2000, 1)
	o := world.NewOracle(w, catalogue(t), time.Now())
	if err := o.Count(w); err != nil {
		t.Fatal(err)
	}
	rows := o.Rows(w, 2000, 1)
	misses, seen := 0, map[[2]int64]bool{}
	withRoles := map[string]int{}
	for _, row := range rows {
		if row.User == 0 || row.Party == 0 {
			t.Errorf("%+v asks about nobody", row)
		}
		if !row.Represent {
			misses++
		}
		if row.Represent != (len(row.Roles) > 0) {
			t.Errorf("%+v: every represented party of these worlds has a role", row)
		}
		if seen[[2]int64{row.User, row.Party}] {
			t.Errorf("%+v comes twice", row)
		}
		seen[[2]int64{row.User, row.Party}] = true
		for _, code := range row.Roles {
			withRoles[code]++
		}
	}
	if len(rows) != 2000 || misses != 667 {
		t.Errorf("%d rows, %d misses; want 2000 and 667", len(rows), misses)
	}
	for _, code := range []string{"DAGL", "LEDE", "INNH", "REGN", "A0239", "PRIV", "SELN", "ECKEYROLE", "MEDL", "DTPR", "KONT", "UTINN", "apiadm"} {
		if withRoles[code] == 0 {
			t.Errorf("no row has %s", code)
		}
	}
}

func TestRowsAreJSON(t *testing.T) {
	text, err := json.Marshal(world.Row{User: 1, Party: 2, Roles: []string{}})
	if want := `{"user":1,"party":2,"represent":false,"roles":[]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}
