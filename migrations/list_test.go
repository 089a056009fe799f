package migrations_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/behalf-authz/behalf/migrations"
)

// TestEveryMigrationNamesItsOldestProgram reads all files that are released.
func TestEveryMigrationNamesItsOldestProgram(t *testing.T) {
	for name, read := range map[string]func() ([]migrations.Migration, error){"sqlite": migrations.OfSQLite, "postgres": migrations.OfPostgres, "audit": migrations.OfAudit} {
		list, err := read()
		if err != nil || len(list) == 0 {
			t.Errorf("%s: %d migrations, %v", name, len(list), err)
		}
	}
}

func TestRead(t *testing.T) {
	const good = "-- oldest: 1\nSELECT 1;\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"two":               {map[string]string{"0001_a.sql": good, "0002_b.sql": good}, ""},
		"a gap":             {map[string]string{"0001_a.sql": good, "0003_b.sql": good}, "number 2 is missing"},
		"no header":         {map[string]string{"0001_a.sql": "SELECT 1;\n"}, "first line"},
		"a later program":   {map[string]string{"0001_a.sql": "-- oldest: 2\n"}, "N from 1 to 1"},
		"no program at all": {map[string]string{"0001_a.sql": "-- oldest: 0\n"}, "first line"},
	} {
		files := fstest.MapFS{}
		for file, text := range c.files {
			files["x/"+file] = &fstest.MapFile{Data: []byte(text)}
		}
		list, err := migrations.Read(files, "x")
		switch {
		case c.want == "" && (err != nil || len(list) != len(c.files)):
			t.Errorf("%s: %d migrations, %v", name, len(list), err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func TestAdmit(t *testing.T) {
	list := []migrations.Migration{{Number: 1, Oldest: 1}, {Number: 2, Oldest: 1}, {Number: 3, Oldest: 3}, {Number: 4, Oldest: 3}}
	for known, want := range map[int]bool{0: false, 1: false, 2: false, 3: true, 4: true, 5: true} {
		err := migrations.State{}.After(list...).Admit(known)
		if (err == nil) != want {
			t.Errorf("a program that knows %d: %v", known, err)
		}
		if tooOld, ok := errors.AsType[*migrations.TooOldError](err); !want && (!ok || tooOld.State.Version != 4 || tooOld.State.Oldest != 3) {
			t.Errorf("a program that knows %d: %v", known, err)
		}
	}
	if pending := (migrations.State{Version: 2, Oldest: 1}).Pending(list); len(pending) != 2 || pending[0].Number != 3 {
		t.Errorf("pending: %v", pending)
	}
	if pending := (migrations.State{Version: 9, Oldest: 1}).Pending(list); len(pending) != 0 {
		t.Errorf("of a newer database: %v", pending)
	}
}
