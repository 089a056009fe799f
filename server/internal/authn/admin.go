package authn

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

const (
	adminFile = "admin.key"
	adminName = "admin (data directory)"
)

// OpenAdminKey returns the admin key of a data directory, and makes it when there is
// none. It is never in the store: who may read the file is an administrator, and who
// deletes it and starts the server again has ended it.
func OpenAdminKey(dir string) (APIKey, error) {
	content, err := openPrivate(filepath.Join(dir, adminFile), func() ([]byte, error) {
		_, text := newKey(adminName, nil, time.Time{}, time.Time{})
		return []byte(string(text) + "\n"), nil
	})
	if err != nil {
		return APIKey{}, fmt.Errorf("open the admin key: %w", err)
	}
	text, id, err := parseAdminKey(content)
	if err != nil {
		return APIKey{}, err
	}
	return APIKey{
		ID: id, Name: adminName, Hash: sha256.Sum256([]byte(text)),
		Scopes: []caller.Scope{caller.Admin},
	}, nil
}

// ReadAdminKey returns the text of the admin key of a data directory. The error is
// fs.ErrNotExist when it has none.
func ReadAdminKey(dir string) (Secret, error) {
	content, err := readPrivate(filepath.Join(dir, adminFile))
	if err != nil {
		return "", fmt.Errorf("read the admin key: %w", err)
	}
	text, _, err := parseAdminKey(content)
	return text, err
}

func parseAdminKey(content []byte) (text Secret, id string, err error) {
	text = Secret(strings.TrimSpace(string(content)))
	id, ok := keyID(text)
	if !ok {
		return "", "", fmt.Errorf("%s in the data directory holds no API key: delete it to have a new one made", adminFile)
	}
	return text, id, nil
}
