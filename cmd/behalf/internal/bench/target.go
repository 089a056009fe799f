package bench

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
)

// API is a door of a server.
type API string

// The doors that are measured.
const (
	GRPC    API = "grpc"    // behalf.v1 CheckService.Check
	REST    API = "rest"    // POST /v1/check
	Authzed API = "authzed" // authzed.api.v1 PermissionsService.CheckPermission
	OpenFGA API = "openfga" // openfga.v1 OpenFGAService.Check, of peers only
	Lookup  API = "lookup"  // authzed.api.v1 PermissionsService.LookupResources, for its floor only
)

// Method names what is called.
func (a API) Method() string {
	switch a {
	case GRPC:
		return "behalf.v1 CheckService.Check over gRPC"
	case REST:
		return "POST /v1/check over HTTP"
	case Authzed:
		return "authzed.api.v1 PermissionsService.CheckPermission over gRPC"
	case OpenFGA:
		return "openfga.v1 OpenFGAService.Check over gRPC"
	case Lookup:
		return "authzed.api.v1 PermissionsService.LookupResources over gRPC"
	}
	return ""
}

// Consistency is what an answer has to have seen, in SpiceDB's words.
type Consistency string

// The consistencies. The revision of the last two is that of the first answer.
const (
	FullyConsistent Consistency = "fully-consistent"  // every acknowledged write; behalf.v1 answers so unless told otherwise
	MinimizeLatency Consistency = "minimize-latency"  // what the server has at hand
	AtLeastAsFresh  Consistency = "at-least-as-fresh" // a revision
	AtExactSnapshot Consistency = "at-exact-snapshot" // a revision and nothing newer
)

// Validate says whether an API has the consistency.
func (c Consistency) Validate(a API) error {
	switch c {
	case FullyConsistent:
		return nil
	case AtLeastAsFresh, AtExactSnapshot:
		if a == OpenFGA {
			return fmt.Errorf("%s is not known to %s, which has no revisions", c, OpenFGA)
		}
		return nil
	case MinimizeLatency:
		if a != Authzed && a != OpenFGA {
			return fmt.Errorf("%s is known to %s only", c, Authzed)
		}
		return nil
	}
	return fmt.Errorf("%q is none of %s, %s, %s and %s", string(c), FullyConsistent, MinimizeLatency, AtLeastAsFresh, AtExactSnapshot)
}

// Target is an API of a server.
type Target interface {
	Asker
	// Probe asks a first question, keeps the answer's revision for the consistency of the
	// others, and returns the answer as it came over the wire.
	Probe(ctx context.Context, q Question) (answer []byte, err error)
}

// New returns the target of an API over gRPC. A caller uses one and the same connection.
func New(a API, conns []grpc.ClientConnInterface, permission string, c Consistency) Target {
	if a == Authzed {
		return newAuthzed(conns, permission, c)
	}
	return newBehalf(conns, permission, c)
}
