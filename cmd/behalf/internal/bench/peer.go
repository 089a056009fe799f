package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"google.golang.org/grpc"
)

// Peer is another server that holds the same relationships, with its database. A file
// describes peers as a JSON array.
type Peer struct {
	Name        string    `json:"name"`                  // in reports
	Versions    []string  `json:"versions"`              // of the server and of its database
	API         API       `json:"api"`                   // authzed or openfga
	Address     string    `json:"address"`               // of its gRPC port
	Token       string    `json:"token,omitempty"`       // its preshared key, if it wants one
	Store       string    `json:"store,omitempty"`       // id in OpenFGA
	Model       string    `json:"model,omitempty"`       // id in OpenFGA
	Permissions []string  `json:"permissions,omitempty"` // that the model knows; all, if there are none
	Processes   Processes `json:"processes"`             // of the server and its database
}

// ReadPeers reads a file of peers.
func ReadPeers(file string) ([]Peer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var peers []Peer
	if err := json.Unmarshal(text, &peers); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(peers) == 0 {
		return nil, fmt.Errorf("%s holds no peers", file)
	}
	return peers, nil
}

// Validate says whether the peer can be asked about a permission, and its processes run.
func (p Peer) Validate(permission string, c Consistency) error {
	var faults []error
	switch {
	case p.API != Authzed && p.API != OpenFGA:
		faults = append(faults, fmt.Errorf("%q is not an API of a peer", p.API))
	case p.API == OpenFGA && (p.Store == "" || p.Model == ""):
		faults = append(faults, errors.New("its store or model is missing"))
	default:
		faults = append(faults, c.Validate(p.API))
	}
	if len(p.Permissions) > 0 && !slices.Contains(p.Permissions, permission) {
		faults = append(faults, fmt.Errorf("its model knows %q, not %s", p.Permissions, permission))
	}
	faults = append(faults, p.Processes.Validate())
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return nil
}

// Target returns the peer's check.
func (p Peer) Target(conns []grpc.ClientConnInterface, permission string, c Consistency) Target {
	if p.API == OpenFGA {
		return &openFGA{conns, p.Store, p.Model, permission, c}
	}
	return newAuthzed(conns, permission, c)
}

// Lister returns the peer's list, and names the method.
func (p Peer) Lister(conn grpc.ClientConnInterface) (Lister, string) {
	if p.API == OpenFGA {
		o := openFGA{[]grpc.ClientConnInterface{conn}, p.Store, p.Model, Represent, FullyConsistent}
		return o.list, "openfga.v1 OpenFGAService.ListObjects over gRPC"
	}
	return LookupResources(conn), Lookup.Method()
}

// Lists reports whether the peer can list whom a user represents.
func (p Peer) Lists() bool {
	return len(p.Permissions) == 0 || slices.Contains(p.Permissions, Represent)
}

// consistency names a consistency as the peer does.
func (p Peer) consistency(c Consistency) string {
	switch {
	case p.API == OpenFGA && c == FullyConsistent:
		return string(c) + " (HIGHER_CONSISTENCY)"
	case p.API == OpenFGA:
		return string(c) + " (MINIMIZE_LATENCY)"
	}
	return string(c)
}

// Report describes the peer for reading.
func (p Peer) Report(c Consistency) PeerReport {
	return PeerReport{
		Name: p.Name, Versions: p.Versions, API: p.API, Method: p.API.Method(), Address: p.Address,
		Consistency: p.consistency(c), Processes: p.Processes.Describe(),
	}
}

// PeerReport is a peer for reading.
type PeerReport struct {
	Name        string    `json:"name"`
	Versions    []string  `json:"versions"`
	API         API       `json:"api"`
	Method      string    `json:"method"`
	Address     string    `json:"address"`
	Consistency string    `json:"consistency"`
	Processes   []Process `json:"processes"`
}
