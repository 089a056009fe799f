package provider

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/behalf-authz/behalf/server/internal/authn/certificate"
)

// Belief is a part of a token that counts.
type Belief string

// What an issuer can be believed for.
const (
	Subject     Belief = "subject"     // sub: who it is, as the issuer calls him
	PID         Belief = "pid"         // a person's national identity number
	Altinn      Belief = "altinn"      // Altinn's claims of a user: urn:altinn:userid and those beside it
	Consumer    Belief = "consumer"    // the organisation that Maskinporten gave the token to
	Groups      Belief = "groups"      // groups that he is in
	Permissions Belief = "permissions" // permissions that he has
	Scopes      Belief = "scopes"      // scopes of other systems
	Behalf      Belief = "behalf"      // scopes of this server, behalf:…
	Levels      Belief = "levels"      // acr and amr, as an authentication level
)

// Beliefs are all of them.
var beliefs = []Belief{Subject, PID, Altinn, Consumer, Groups, Permissions, Scopes, Behalf, Levels}

// maxFile is the greatest size of an issuers file.
const maxFile = 1 << 20

// File is an issuers file.
type File struct {
	Issuers []Entry `yaml:"issuers"`
	// ReturnOrigins are those of the services that a browser may be sent back to after a
	// login, such as https://app.example.no, beside the server's own.
	ReturnOrigins []string `yaml:"return_origins"`
	// Sessions are how long a login lasts.
	Sessions Sessions `yaml:"sessions"`
	// Certificates are services that call with nothing but a client certificate.
	Certificates []certificate.Entry `yaml:"certificates"`
}

// Sessions are how long a login lasts, and how long unused.
type Sessions struct {
	Lifetime Duration `yaml:"lifetime"`
	Idle     Duration `yaml:"idle"`
}

// Entry is what the file says of one issuer.
type Entry struct {
	// Name is by what logs, paths and people know it.
	Name string `yaml:"name"`
	// Issuer is the iss of its tokens, to the letter.
	Issuer string `yaml:"issuer"`
	// JWKS is the address of its keys. Without it, discovery tells.
	JWKS string `yaml:"jwks"`
	// Algorithms are those it may sign with. Default RS256.
	Algorithms []string `yaml:"algorithms"`
	// Skew is how far its clock may be off. Default 10 s.
	Skew *Duration `yaml:"skew"`
	// Believe names what of its tokens counts.
	Believe []Belief `yaml:"believe"`
	// Claims are the claims where it says what it is believed for, when they are not the usual.
	Claims ClaimNames `yaml:"claims"`
	// Levels are the authentication levels of what it calls its ways to log in.
	Levels LevelMap `yaml:"levels"`
	// Provision makes a user of every subject that has none.
	Provision bool `yaml:"provision"`
	// Bearer is which of its tokens are credentials of calls. Without it none are.
	Bearer *Bearer `yaml:"bearer"`
	// Introspection is how it is asked about tokens that only it can read.
	Introspection *Introspection `yaml:"introspection"`
	// Login is how people log in there. Without it nobody does.
	Login *Login `yaml:"login"`
	// Manager is how it is asked who makes a request at an API gateway, when it is an
	// authentication manager of others.
	Manager *Manager `yaml:"manager"`
}

// ClaimNames are names of claims. A dot leads into an object, as in realm_access.roles.
type ClaimNames struct {
	PID         string `yaml:"pid"`
	Groups      string `yaml:"groups"`
	Permissions string `yaml:"permissions"`
	Consumer    string `yaml:"consumer"`
}

// LevelMap is the level of each acr and each amr. One that is not in it is level 0.
type LevelMap struct {
	ACR map[string]int `yaml:"acr"`
	AMR map[string]int `yaml:"amr"`
}

// Bearer is which tokens are credentials of calls.
type Bearer struct {
	// Audiences are those of which a token must name one.
	Audiences []string `yaml:"audiences"`
	// AnyAudience takes tokens that are meant for others.
	AnyAudience bool `yaml:"any_audience"`
	// Type is the typ that a token must have, such as at+jwt. Default any but those of
	// tokens that are something else.
	Type string `yaml:"type"`
	// MaxAge is how old a token may be, by its iat. Default any age.
	MaxAge Duration `yaml:"max_age"`
}

// Introspection is how an issuer is asked about opaque tokens (RFC 7662).
type Introspection struct {
	Endpoint         string   `yaml:"endpoint"`
	ClientID         string   `yaml:"client_id"`
	ClientSecretFile string   `yaml:"client_secret_file"`
	Audiences        []string `yaml:"audiences"`
}

// Login is how people log in by the code flow.
type Login struct {
	ClientID         string            `yaml:"client_id"`
	ClientSecretFile string            `yaml:"client_secret_file"` // a public client has none
	PrivateKeyFiles  []string          `yaml:"private_key_files"`  // instead: the first signs (private_key_jwt), all are told
	Scopes           []string          `yaml:"scopes"`             // beside openid
	Title            map[string]string `yaml:"title"`              // by language, for the login chooser
	ACR              []string          `yaml:"acr_values"`         // that every login asks for
	MaxAge           Duration          `yaml:"max_age"`            // since he was last asked who he is; default any
	PAR              bool              `yaml:"par"`                // push requests (RFC 9126) though the provider does not demand it
	Resource         string            `yaml:"resource"`           // the API that access tokens are for (RFC 8707)
	UserInfo         bool              `yaml:"userinfo"`           // ask for claims that the id_token has not
}

// Duration is a length of time such as 30s.
type Duration time.Duration

// UnmarshalYAML reads what time.ParseDuration reads.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %.40q is not a length of time such as 30s", n.Line, n.Value)}}
	}
	*d = Duration(v)
	return nil
}

// Load reads an issuers file. The error joins every fault of it.
func Load(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("read the issuers file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return File{}, fmt.Errorf("read the issuers file: %w", err)
	}
	file, err := Parse(text)
	if err != nil {
		return File{}, fmt.Errorf("the issuers file %s: %w", path, err)
	}
	return file, nil
}

// Parse reads the text of an issuers file. The error joins every fault of it.
func Parse(text []byte) (File, error) {
	if len(text) > maxFile {
		return File{}, fmt.Errorf("is larger than 1 MiB")
	}
	var file File
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // a word that is misspelt is a fault, never a default
	err := decoder.Decode(&file)
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
		// The rest has been read, and may have more faults.
		return File{}, errors.Join(wrong, file.Validate())
	}
	if err != nil {
		return File{}, fmt.Errorf("is no YAML: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return File{}, fmt.Errorf("has more than one document")
	}
	return file, file.Validate()
}
