package authzed

import (
	"fmt"
	"strings"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/engine"
)

// prefix begins the full method names of this API.
const prefix = "/authzed.api.v1."

// Service is authzed.api.v1 over an engine.
type Service struct {
	engine  *engine.Engine
	guard   guard
	imports imports
}

// New returns the API over an engine. Definitions are the names of Behalf's own
// definitions and schema the text that says what they are; callers may neither change
// them nor, unless they are administrators, write their relations.
func New(e *engine.Engine, definitions []string, schema string) (*Service, error) {
	own, err := engine.ParseSchema(schema)
	if err != nil {
		return nil, fmt.Errorf("compile the schema of the own definitions: %w", err)
	}
	g, err := newGuard(definitions, own)
	if err != nil {
		return nil, err
	}
	return &Service{
		engine:  e,
		guard:   g,
		imports: imports{open: make(chan struct{}, maxImports), idle: importIdle, tuples: maxImportTuples, bytes: maxImportBytes},
	}, nil
}

// Register registers the four services on r. They work only behind the interceptors of
// this Service.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	services := s.engine.Services()
	v1.RegisterPermissionsServiceServer(r, walked{services.Permissions, s.engine})
	v1.RegisterSchemaServiceServer(r, services.Schema)
	v1.RegisterWatchServiceServer(r, services.Watch)
	v1.RegisterExperimentalServiceServer(r, services.Experimental)
}

// ours reports whether a method belongs to this API.
func ours(fullMethod string) bool { return strings.HasPrefix(fullMethod, prefix) }

const (
	// maxBulk is how many checks SpiceDB takes in one call.
	maxBulk = 10_000
	// maxImports is how many imports may be received at one time.
	maxImports = 4
	// maxImportTuples and maxImportBytes bound what one import may carry.
	maxImportTuples = 1_000_000
	maxImportBytes  = 256 << 20
	// importIdle is how long an import may send nothing: SpiceDB's own bound.
	importIdle = 30 * time.Second
)
