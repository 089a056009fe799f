package server_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// TestVerify changes a database that holds together, in one way each, and verifies it.
func TestVerify(t *testing.T) {
	s := startAltinnServer(t)
	s.loadSmallRegister()
	if _, err := server.VerifyDataDir(t.Context(), s.dataDir, nil); err == nil || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("while the server runs: %v", err)
	}
	s.stop()
	whole, err := server.VerifyDataDir(t.Context(), s.dataDir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Relationships == 0 || whole.Explained != whole.Relationships || whole.Revisions < 2 {
		t.Errorf("of a small register: %+v", whole)
	}
	path := filepath.Join(s.dataDir, "behalf.db")
	for _, c := range []struct{ name, change, want string }{
		{"live tuple lost", "DELETE FROM tuple WHERE id = (SELECT max(id) FROM tuple WHERE deleted IS NULL)", "in table tuple: it has"},
		{"live tuple ended", "UPDATE tuple SET deleted = created WHERE id = (SELECT max(id) FROM tuple WHERE deleted IS NULL)", "in table tuple: it has"},
		{"subject changed", "UPDATE tuple SET subject = subject || '1' WHERE id = (SELECT max(id) FROM tuple)", "in table tuple: row"},
		{"old checksum", "UPDATE revision SET sum = sum + 1 WHERE revision = (SELECT min(revision) FROM revision)", "in table tuple: it has 0 rows live at revision 1"},
		{"newest checksum", "UPDATE revision SET sum = sum + 1 WHERE revision = (SELECT max(revision) FROM revision)", "in table tuple"},
		{"ended tuple of no revision", "INSERT INTO tuple SELECT id + 1000000, hash, relation, resource, kind, subject, -1, 1, expires, caveat, context, note FROM tuple LIMIT 1", "in table tuple: row"},
		{"record unlike its tuples", "UPDATE assignment SET role = 'lede' WHERE role = 'dagl'", "should have"},
		{"orphaned record", "PRAGMA foreign_keys = off; DELETE FROM party WHERE id = (SELECT from_id FROM assignment LIMIT 1)", "names one of table party"},
		{"no id", "DELETE FROM store", "in table store"},
		{"foreign file", "PRAGMA application_id = 7", "not Behalf's"},
		{"newer release", "PRAGMA user_version = 999; INSERT INTO migration VALUES (999, 'later', 999, 0)", "use a newer release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spoilt := filepath.Join(t.TempDir(), "spoilt.db")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(spoilt, text, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := sqlite.Open(spoilt, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			_, err = server.VerifyFile(t.Context(), spoilt, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), spoilt) {
				t.Errorf("verify says %v, want %q of %s", err, c.want, spoilt)
			}
		})
	}
	if _, err := server.VerifyFile(t.Context(), path, nil); err != nil {
		t.Errorf("the database itself: %v", err)
	}
}

// TestAuditFile verifies and migrates the records of decisions of a data directory.
func TestAuditFile(t *testing.T) {
	s := startAltinnServer(t)
	s.loadSmallRegister()
	s.stop()
	path := filepath.Join(s.dataDir, "audit.db")
	change := func(text string) {
		t.Helper()
		db, err := sqlite.Open(path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	const insert = "INSERT INTO audit VALUES (%d, 0, 'decision', 0, '', 0, '', '', 'Permit', '%s')"
	change(fmt.Sprintf(insert, 1, "{}"))
	if whole, err := server.VerifyDataDir(t.Context(), s.dataDir, nil); err != nil || whole.Audited == 0 {
		t.Errorf("as it is: %+v, %v", whole, err)
	}
	cfg := server.Config{DataDir: s.dataDir}
	layers, err := server.MigrationState(t.Context(), cfg)
	if err != nil || len(layers) != 4 || layers[3].Name != server.LayerAudit || layers[3].Current != layers[3].Wanted || server.Migrates(layers) {
		t.Errorf("layers %+v, %v", layers, err)
	}
	change(fmt.Sprintf(insert, 2, "{"))
	if _, err := server.VerifyDataDir(t.Context(), s.dataDir, nil); err == nil || !strings.Contains(err.Error(), path+" is damaged in table audit: 1 records are no JSON") {
		t.Errorf("a record that is none: %v", err)
	}
	change("DELETE FROM audit WHERE at = 2; PRAGMA wal_checkpoint(TRUNCATE)")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := bytes.Clone(whole)
	torn[len(torn)-100] ^= 1
	if err := os.WriteFile(path, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.VerifyDataDir(t.Context(), s.dataDir, nil); err == nil || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("a broken page: %v", err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	change("PRAGMA user_version = 999; UPDATE migration SET number = 999, oldest = 999 WHERE number = (SELECT max(number) FROM migration)")
	layers, err = server.MigrationState(t.Context(), cfg)
	if err != nil || len(layers) != 4 || layers[3].Refused == "" {
		t.Errorf("of a later release: %+v, %v", layers, err)
	}
}
