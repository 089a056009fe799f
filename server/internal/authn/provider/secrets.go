package provider

import (
	"fmt"
	"os"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn"
)

// secrets are what the provider knows its client by.
type secrets struct {
	login, introspection authn.Secret
	keys                 []jose.JSONWebKey
}

// readSecrets reads the files that an entry names.
func readSecrets(e Entry) (s secrets, err error) {
	if e.Login != nil && e.Login.ClientSecretFile != "" {
		if s.login, err = readSecret(e.Login.ClientSecretFile); err != nil {
			return s, fmt.Errorf("issuers.%s: login.client_secret_file: %w", e.Name, err)
		}
	}
	if e.Login != nil {
		for _, path := range e.Login.PrivateKeyFiles {
			key, err := readClientKey(path)
			if err != nil {
				return s, fmt.Errorf("issuers.%s: login.private_key_files: %s: %w", e.Name, path, err)
			}
			s.keys = append(s.keys, key)
		}
	}
	if e.Introspection != nil {
		if s.introspection, err = readSecret(e.Introspection.ClientSecretFile); err != nil {
			return s, fmt.Errorf("issuers.%s: introspection.client_secret_file: %w", e.Name, err)
		}
	}
	return s, nil
}

func readSecret(path string) (authn.Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", errSecret
	}
	return authn.Secret(secret), nil
}
