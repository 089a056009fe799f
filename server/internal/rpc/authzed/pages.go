package authzed

import (
	"crypto/sha256"
	"encoding/base64"
	"sort"
	"strconv"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/cursor"
	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// walkFlag marks the cursors that walks make. SpiceDB, should it get one, refuses it for its
// hash, which is none of SpiceDB's.
const walkFlag = "behalf-walk"

// errCursorExpired refuses a cursor of a walk where the walk can no longer answer. SpiceDB
// cannot continue it: its own order is another one.
var errCursorExpired = status.Error(codes.OutOfRange, "the cursor has expired; start again without it")

// LookupResources lists the objects on which a subject has a permission: with a limit by id,
// so that the next page can be found, without in no order.
func (w walked) LookupResources(r *v1.LookupResourcesRequest, stream grpc.ServerStreamingServer[v1.LookupResourcesResponse]) error {
	if unusual(r.GetContext()) || r.GetWithDebug() || r.GetOptionalLimit() > engine.MaxLimit {
		return w.PermissionsServiceServer.LookupResources(r, stream)
	}
	after, ours := "", false
	if r.GetOptionalCursor() != nil {
		if after, ours = continued(r); !ours {
			return w.PermissionsServiceServer.LookupResources(r, stream)
		}
	}
	ctx := stream.Context()
	walk, token, ok := w.at(ctx)
	if !ok {
		if ours {
			return errCursorExpired
		}
		return w.PermissionsServiceServer.LookupResources(r, stream)
	}
	found, answered := walk.Resources(ctx, r.GetResourceObjectType(), r.GetPermission(), subject(r.GetSubject()))
	switch {
	case !answered && ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case !answered && ours:
		return errCursorExpired
	case !answered:
		return w.PermissionsServiceServer.LookupResources(r, stream)
	}
	return sendPage(r, stream, found, after, token)
}

// sendPage sends what comes after an id, up to the limit.
func sendPage(r *v1.LookupResourcesRequest, stream grpc.ServerStreamingServer[v1.LookupResourcesResponse], found *relation.Listed, after string, token *v1.ZedToken) error {
	limit := int(r.GetOptionalLimit())
	ids := found.IDs()
	if limit > 0 {
		ids = found.Sorted()
		ids = ids[sort.Search(len(ids), func(i int) bool { return ids[i] > after }):]
		ids = ids[:min(limit, len(ids))]
	}
	revision, hash, _, err := consistency.RevisionFromContext(stream.Context())
	if err != nil {
		return err
	}
	call := ""
	if limit > 0 {
		call = callHash(r)
	}
	to := sender[v1.LookupResourcesRequest](stream)
	m := &v1.LookupResourcesResponse{ // for all: what is sent is encoded before Send returns
		LookedUpAt:     token,
		Permissionship: v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION,
	}
	for _, id := range ids {
		m.ResourceObjectId = id
		if limit > 0 {
			next, err := cursor.EncodeFromDispatchCursorSections([]string{id}, call, revision, hash, map[string]string{walkFlag: "1"})
			if err != nil {
				return err
			}
			m.AfterResultCursor = next
		}
		if err := to.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// continued returns the id that a walk's cursor is behind. ours is false for SpiceDB's
// cursors, and for those that belong to another call, which SpiceDB refuses.
func continued(r *v1.LookupResourcesRequest) (after string, ours bool) {
	if _, ok, err := cursor.GetCursorFlag(r.GetOptionalCursor(), walkFlag); err != nil || !ok {
		return "", false
	}
	decoded, _, err := cursor.DecodeToDispatchCursor(r.GetOptionalCursor(), callHash(r))
	if err != nil || len(decoded.GetSections()) != 1 {
		return "", false
	}
	return decoded.GetSections()[0], true
}

// callHash identifies a call by all that its cursors depend on, as SpiceDB's do.
func callHash(r *v1.LookupResourcesRequest) string {
	level, err := r.GetConsistency().MarshalVT()
	if err != nil {
		level = nil
	}
	h := sha256.New()
	for _, part := range []string{
		walkFlag, string(level), r.GetResourceObjectType(), r.GetPermission(),
		r.GetSubject().GetObject().GetObjectType(), r.GetSubject().GetObject().GetObjectId(), r.GetSubject().GetOptionalRelation(),
		strconv.FormatUint(uint64(r.GetOptionalLimit()), 10),
	} {
		_, _ = h.Write([]byte(strconv.Quote(part))) // a hash takes everything
	}
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil)[:16])
}
