package authn_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// openers open each of the key files of a directory and return what identifies the key.
func openers() map[string]func(dir string) (string, error) {
	return map[string]func(dir string) (string, error){
		"issuer.key": func(dir string) (string, error) {
			i, err := authn.OpenIssuer(dir)
			if err != nil {
				return "", err
			}
			set, err := i.JWKS()
			return string(set), err
		},
		"admin.key": func(dir string) (string, error) {
			k, err := authn.OpenAdminKey(dir)
			return k.ID, err
		},
	}
}

func TestKeyFiles(t *testing.T) {
	for name, open := range openers() {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new", "data")
			path := filepath.Join(dir, name)
			first, err := open(dir)
			if err != nil {
				t.Fatal(err)
			}
			for p, want := range map[string]fs.FileMode{dir: 0o700, path: 0o600} {
				if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: %v, %v; want mode %o", p, info.Mode(), err, want)
				}
			}
			if again, err := open(dir); err != nil || again != first {
				t.Errorf("opened again: another key, %v", err)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("the directory holds %v, %v", entries, err)
			}
			for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o666, 0o602} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
				if _, err := open(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
					t.Errorf("mode %o: %v", mode, err)
				}
			}
			if err := os.Chmod(path, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, content := range []string{"", "garbage", strings.Repeat("x", 20<<10)} {
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := open(dir); err == nil {
					t.Errorf("a file of %d bytes that is no key was taken", len(content))
				}
				if got, err := os.ReadFile(path); err != nil || string(got) != content {
					t.Errorf("the file was changed")
				}
			}
		})
	}
}

func TestKeyFilesAreMadeOnce(t *testing.T) {
	for name, open := range openers() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			keys := make([]string, 8)
			var wg sync.WaitGroup
			for i := range keys {
				wg.Go(func() {
					var err error
					if keys[i], err = open(dir); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			for _, k := range keys {
				if k != keys[0] {
					t.Fatal("two processes that start at once have different keys")
				}
			}
		})
	}
}

func TestReadingMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := authn.ReadIssuer(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadIssuer: %v", err)
	}
	if _, err := authn.ReadAdminKey(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadAdminKey: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory: %v", err)
	}
}

func TestAdminKey(t *testing.T) {
	dir := t.TempDir()
	admin, err := authn.OpenAdminKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t, admin)
	text, err := authn.ReadAdminKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := caller.Caller{Kind: caller.Service, Name: "admin (data directory)", Scopes: []caller.Scope{caller.Admin}}
	got, err := s.who.Authenticate(t.Context(), text)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	stored, err := s.store.APIKeys(t.Context())
	if len(stored) != 0 || len(s.keys.List()) != 0 || err != nil {
		t.Errorf("the admin key is stored or listed: %v, %v", stored, err)
	}
	if err := s.keys.Revoke(t.Context(), admin.ID); !isReason(err, "ADMIN_KEY") {
		t.Errorf("revoked: %v", err)
	}
	// Neither a row of its id nor a change of the others puts another in its place.
	usurper := admin
	usurper.Hash = [32]byte{1}
	if err := s.store.PutAPIKey(t.Context(), usurper); err != nil {
		t.Fatal(err)
	}
	if err := s.keys.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.create(t, admin.Expires, caller.Check)
	if _, err := s.who.Authenticate(t.Context(), text); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	const text = "behalf_x_hunter2"
	s := authn.Secret(text)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "direct", s, "nested", struct{ S authn.Secret }{s}, "list", []authn.Secret{s})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "direct", s, "nested", struct{ S authn.Secret }{s})
	encoded, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{
		log.String(), string(encoded), fmt.Sprint(s), fmt.Sprintf("%s %v %+v %#v %q", s, s, s, s, s),
		fmt.Errorf("x: %v", s).Error(),
	} {
		if strings.Contains(got, "hunter2") {
			t.Errorf("printed: %s", got)
		}
	}
	if string(s) != text {
		t.Errorf("the text is %q", string(s))
	}
}
