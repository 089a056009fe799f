package authn

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// issuerFrom makes an issuer of the content of its key file.
func issuerFrom(content []byte, err error) (*Issuer, error) {
	if err != nil {
		return nil, fmt.Errorf("open the issuer's key: %w", err)
	}
	private, err := parseIssuerKeys(content)
	if err != nil {
		return nil, fmt.Errorf("the issuer's key: %w", err)
	}
	i := &Issuer{name: DefaultIssuer}
	for n, key := range private {
		public, err := publicOf(key)
		if err != nil {
			return nil, fmt.Errorf("the issuer's key: %w", err)
		}
		if slices.Contains(i.KeyIDs(), public.KeyID) {
			return nil, fmt.Errorf("the issuer's key: key %d of the file is there twice", n+1)
		}
		i.keys = append(i.keys, public)
	}
	i.signer, err = jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private[0], KeyID: i.keys[0].KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return nil, fmt.Errorf("the issuer's key: %w", err)
	}
	return i, nil
}

// publicOf returns the public half of a key, under its thumbprint.
func publicOf(key *ecdsa.PrivateKey) (jose.JSONWebKey, error) {
	public := jose.JSONWebKey{Key: key.Public(), Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return public, nil
}

// parseIssuerKeys reads the keys of a file, at least one.
func parseIssuerKeys(content []byte) ([]*ecdsa.PrivateKey, error) {
	var keys []*ecdsa.PrivateKey
	for rest := bytes.TrimSpace(content); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "PRIVATE KEY" {
			return nil, errors.New("the file has something else than PEM blocks of type PRIVATE KEY")
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		key, ok := parsed.(*ecdsa.PrivateKey)
		if !ok || key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("key %d of the file is not an ECDSA key on P-256", len(keys)+1)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("the file has no PEM block of type PRIVATE KEY")
	}
	return keys, nil
}
