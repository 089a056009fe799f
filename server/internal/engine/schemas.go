package engine

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/walk"
	"github.com/behalf-authz/behalf/server/internal/walk/zed"
)

// schemas is what schemas were compiled to, which is for one graph each.
type schemas struct {
	log     *slog.Logger // is told of schemas that refuse much; may be nil
	newest  atomic.Pointer[walked]
	compile sync.Mutex
	kept    []*walked // the newest last
}

// walked is a schema with what it was compiled to.
type walked struct {
	of    *datastore.ReadOnlyStoredSchema
	to    *walk.Schema
	words vocabulary
}

// keptSchemas is how many compiled schemas are kept: reads of older revisions may need those
// from before a change.
const keptSchemas = 4

// compiled returns a compiled schema.
func (s *schemas) compiled(of *datastore.ReadOnlyStoredSchema) *walked {
	if have := s.newest.Load(); have != nil && have.of == of {
		return have
	}
	s.compile.Lock()
	defer s.compile.Unlock()
	for _, have := range s.kept {
		if have.of == of {
			s.newest.Store(have)
			return have
		}
	}
	definitions := zed.Definitions(of.Get().GetV1().GetNamespaceDefinitions())
	made := &walked{of, walk.Compile(definitions), vocabularyOf(definitions)}
	// SpiceDB takes them, and so may what moves here from one. They are bounded wherever
	// they are asked about, so that a word to the operator is enough.
	if circular := slices.Sorted(slices.Values(made.to.Circular())); s.log != nil && len(circular) > 0 {
		s.log.Warn("the schema has permissions that come back to themselves by name alone: what is asked of them is refused, unless another term decides it",
			"permissions", circular)
	}
	if len(s.kept) == keptSchemas {
		s.kept = s.kept[1:]
	}
	s.kept = append(s.kept, made)
	s.newest.Store(made)
	return made
}
