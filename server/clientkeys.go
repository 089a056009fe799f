package server

import (
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// clientKeys returns the public keys by which identity providers know the server as their
// client, as a JSON Web Key Set.
func (l *logins) clientKeys() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, p := range l.providers {
		set.Keys = append(set.Keys, p.ClientKeys()...)
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("publish the client's keys: %w", err)
	}
	return text, nil
}
