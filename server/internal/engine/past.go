package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/cursor"
	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"github.com/authzed/spicedb/pkg/zedtoken"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// The reasons for which a question about the past is refused, beside ReasonInvalidRevision
// and ReasonScopeMissing.
const (
	// ReasonHistoryExpired is given for what lies before all that is kept. The metadata
	// entries "oldest_time" and, when a revision was made since, "oldest_revision" say how
	// far back can be asked.
	ReasonHistoryExpired fault.Reason = "HISTORY_EXPIRED"
	// ReasonHistoryUnsupported is given for a time where the datastore knows revisions only.
	ReasonHistoryUnsupported fault.Reason = "HISTORY_UNSUPPORTED"
)

// historian is a datastore that answers about the past as it was. Its errors may be
// *relation.PastError.
type historian interface {
	datastore.Datastore
	// Past returns the moment of a revision or, when that is nil, of a time, which is a
	// dated revision that can be read until ctx is done.
	Past(ctx context.Context, of datastore.Revision, at time.Time, old bool) (datastore.RevisionWithSchemaHash, error)
	// Remembers reports whether a revision can be read as it is.
	Remembers(r datastore.Revision) bool
}

// dated is a revision with the instant at which it is asked about.
type dated interface {
	datastore.Revision
	Instant() time.Time
	Made() datastore.Revision
}

// past is at for a question about the past. What it returns can be read until ctx is done.
func (e *Engine) past(ctx context.Context, at relation.At) (context.Context, relation.Revision, error) {
	if at.AtLeast != "" || at.Exact != "" && !at.Time.IsZero() {
		return nil, "", fault.New(fault.Invalid, fault.ReasonInvalidArgument,
			"a question is about a revision, about a time, or about a state at least as fresh as a revision: give one of the three")
	}
	h, ok := e.store.(historian)
	if !ok {
		return e.exact(ctx, at)
	}
	var of datastore.Revision
	if at.Exact != "" {
		decoded, err := e.decode(at.Exact)
		if err != nil {
			return nil, "", err
		}
		of = decoded.Revision
	}
	found, moment, err := e.moment(ctx, h, of, at.Time, at.Old)
	if err != nil {
		return nil, "", err
	}
	hash := hashOf(found.SchemaHash)
	token, err := zedtoken.NewFromRevision(ctx, moment, hash, e.layer)
	if err != nil {
		return nil, "", faultOf(err)
	}
	public, err := zedtoken.NewFromRevision(ctx, moment.Made(), hash, e.layer)
	if err != nil {
		return nil, "", faultOf(err)
	}
	ctx = consistency.ContextWithHandle(e.Context(relation.WithInstant(ctx, moment.Instant())))
	return ctx, relation.Revision(public.GetToken()), e.snapshot(ctx, token)
}

// snapshot fixes the revision of a token in a context.
func (e *Engine) snapshot(ctx context.Context, token *v1.ZedToken) error {
	request := &v1.CheckPermissionRequest{Consistency: &v1.Consistency{Requirement: &v1.Consistency_AtExactSnapshot{AtExactSnapshot: token}}}
	return faultOf(consistency.AddRevisionToContext(ctx, request, e.layer, "", consistency.TreatMismatchingTokensAsError))
}

// exact is past on a datastore that keeps revisions and judges expiry by its own clock.
func (e *Engine) exact(ctx context.Context, at relation.At) (context.Context, relation.Revision, error) {
	if !at.Time.IsZero() {
		return nil, "", fault.New(fault.Unimplemented, ReasonHistoryUnsupported,
			"this datastore cannot be asked about a time; it can be asked about a revision that it gave, as long as it keeps it (SpiceDB's window, a day)")
	}
	if !at.Old {
		return nil, "", guarded("about an exact revision")
	}
	if _, err := e.decode(at.Exact); err != nil {
		return nil, "", err
	}
	ctx = consistency.ContextWithHandle(e.Context(ctx))
	return ctx, at.Exact, e.snapshot(ctx, &v1.ZedToken{Token: string(at.Exact)})
}

// Exact readies the state that a request of authzed.api.v1 names by an exact snapshot or a
// cursor, when memory no longer has it: it then stays until ctx is done. It changes the
// consistency to name the moment at which that revision was made. Tokens that it makes
// nothing of are left to SpiceDB, which says what is wrong with them. old says whether the
// caller may ask about what memory no longer has.
func (e *Engine) Exact(ctx context.Context, c *v1.Consistency, after *v1.Cursor, old bool) error {
	h, ok := e.store.(historian)
	if !ok {
		return nil
	}
	if after != nil {
		r, _, _, err := cursor.DecodeToDispatchRevisionAndSchemaHash(ctx, after, e.layer)
		if m, past := r.(dated); past && err == nil {
			if _, _, err := e.moment(ctx, h, m, time.Time{}, old); err != nil {
				return err
			}
		}
	}
	token := c.GetAtExactSnapshot()
	if token == nil {
		return nil
	}
	decoded, err := zedtoken.DecodeRevision(token, e.layer)
	if err != nil || decoded.Status == zedtoken.StatusMismatchedDatastoreID || h.Remembers(decoded.Revision) {
		return nil //nolint:nilerr // see above
	}
	found, moment, err := e.moment(ctx, h, decoded.Revision, time.Time{}, old)
	if err != nil {
		return err
	}
	if token, err = zedtoken.NewFromRevision(ctx, moment, hashOf(found.SchemaHash), e.layer); err != nil {
		return faultOf(err)
	}
	c.Requirement = &v1.Consistency_AtExactSnapshot{AtExactSnapshot: token}
	return nil
}

// moment asks for a moment of the past.
func (e *Engine) moment(ctx context.Context, h historian, of datastore.Revision, at time.Time, old bool) (datastore.RevisionWithSchemaHash, dated, error) {
	found, err := h.Past(ctx, of, at, old)
	if err != nil {
		return found, nil, e.pastFault(err)
	}
	moment, ok := found.Revision.(dated)
	if !ok {
		return found, nil, faultOf(fmt.Errorf("the datastore answered with revision %s, which has no instant", found.Revision))
	}
	return found, moment, nil
}

// decode reads a revision that this datastore gave out.
func (e *Engine) decode(r relation.Revision) (zedtoken.DecodedRevision, error) {
	decoded, err := zedtoken.DecodeRevision(&v1.ZedToken{Token: string(r)}, e.layer)
	if err == nil && decoded.Status != zedtoken.StatusValid {
		err = errForeign
	}
	if err != nil {
		return decoded, notOurs().Because(err)
	}
	return decoded, nil
}

func notOurs() *fault.Error {
	return fault.New(fault.Invalid, fault.ReasonInvalidRevision, "the revision is not one that this server gave")
}

func guarded(what string) *fault.Error {
	return fault.New(fault.Denied, fault.ReasonScopeMissing, "asking %s needs the scope %s", what, caller.Admin).
		With("scope", string(caller.Admin))
}

// pastFault makes a fault of an error of a historian.
func (e *Engine) pastFault(err error) error {
	p, ok := errors.AsType[*relation.PastError](err)
	if !ok {
		return faultOf(err)
	}
	switch p.Fault {
	case relation.PastUnknown:
		return notOurs().Because(p)
	case relation.PastAhead:
		return fault.New(fault.Invalid, fault.ReasonInvalidArgument, "the time asked about has not come yet").Because(p)
	case relation.PastGuarded:
		return guarded(fmt.Sprintf("about a state older than memory keeps, which is %s and not beyond a restart,", p.Memory)).Because(p)
	case relation.PastForgotten:
	}
	since := p.Oldest.UTC().Format(time.RFC3339Nano)
	text := fmt.Sprintf("history is kept from %s on; what was before can no longer be told", since)
	token := e.tokenOf(p.OldestRevision)
	if token != "" {
		text += "; the oldest revision that can be asked about is " + token
	}
	f := fault.New(fault.OutOfRange, ReasonHistoryExpired, "%s", text).With("oldest_time", since)
	if token != "" {
		f = f.With("oldest_revision", token)
	}
	return f.Because(p)
}

// tokenOf returns the token of a revision, empty when there is none.
func (e *Engine) tokenOf(text string) string {
	if text == "" {
		return ""
	}
	r, err := e.layer.RevisionFromString(text)
	if err != nil {
		return ""
	}
	token, err := zedtoken.NewFromRevision(context.Background(), r, datalayer.NoSchemaHashInLegacyZedToken, e.layer)
	if err != nil {
		return ""
	}
	return token.GetToken()
}

// hashOf returns the hash of a schema as SpiceDB's data layer takes it.
func hashOf(hash string) datalayer.SchemaHash {
	if hash == "" {
		return datalayer.NoSchemaHashInLegacyMode
	}
	return datalayer.SchemaHash(hash)
}
