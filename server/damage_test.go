package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// TestDamagedWhileOpen breaks pages of records under a server that has the file open: a read
// of them says which file and page.
func TestDamagedWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), databaseName)
	open := func() *store.Store {
		s, err := store.Open(t.Context(), store.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const marker = "Broken Page Ltd "
	s := open()
	err := records.In(database{s}).Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		for i := range 4000 {
			p := party.Party{ID: party.ID(i + 1), UUID: fmt.Sprint("u", i), Kind: party.Organisation, UnitType: "AS",
				Name: marker + strings.Repeat("x", 200)}
			if err := tx.PutParty(ctx, p, "test"); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	spoil(t, path, marker)
	err = records.In(database{s}).Parties(t.Context(), func(party.Party) error { return nil })
	damaged, ok := errors.AsType[*store.DamagedError](err)
	if !ok || damaged.File != path || damaged.Page == 0 || damaged.Table == "" {
		t.Fatalf("a read of broken pages: %v, want what is damaged", err)
	}
	t.Log(err)
}

// spoil changes a byte of a file wherever a text is, but the first that SQLite may have read.
func spoil(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for at := bytes.Index(content, []byte(text)); at >= 0; n++ {
		if _, err := file.WriteAt([]byte{'?'}, int64(at)); err != nil {
			t.Fatal(err)
		}
		next := bytes.Index(content[at+1:], []byte(text))
		if next < 0 {
			break
		}
		at += 1 + next
	}
	if n == 0 {
		t.Fatalf("%q is not in the file", text)
	}
}
