package engine

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"github.com/authzed/spicedb/pkg/zedtoken"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Head returns the newest revision: it sees every write acknowledged so far.
func (e *Engine) Head(ctx context.Context) (relation.Revision, error) {
	_, revision, err := e.at(ctx, relation.At{Latest: true})
	return revision, err
}

// pinned marks a context whose reads are all answered at one revision.
type pinned struct{}

// Pin returns a context in which every read of the engine is answered at one revision,
// whatever freshness it asks for, and that revision. It is for what has to ask several
// times to answer once: such an answer sees one state of the graph.
func (e *Engine) Pin(ctx context.Context, at relation.At) (context.Context, relation.Revision, error) {
	ctx, revision, err := e.at(ctx, at)
	if err != nil {
		return nil, "", err
	}
	return context.WithValue(ctx, pinned{}, revision), revision, nil
}

// at returns a context in which every call to the captured services is answered at one
// revision, and that revision: unless at is about the past, the head, which is at least as
// fresh as any revision that was ever given out. A revision in at is therefore only checked:
// it must be one of ours. Without one the head may be older, when an operator allows that.
func (e *Engine) at(ctx context.Context, at relation.At) (context.Context, relation.Revision, error) {
	return e.atHead(ctx, at, foundHead{})
}

// atHead is at for a call that may have found the head already.
func (e *Engine) atHead(ctx context.Context, at relation.At, head foundHead) (context.Context, relation.Revision, error) {
	if err := e.running(); err != nil {
		return nil, "", err
	}
	if revision, ok := ctx.Value(pinned{}).(relation.Revision); ok {
		return ctx, revision, nil
	}
	if at.Past() {
		return e.past(ctx, at)
	}
	ctx = consistency.ContextWithHandle(e.Context(ctx))
	newest := &v1.CheckPermissionRequest{Consistency: &v1.Consistency{
		Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true},
	}}
	layer := e.recentLayer
	if at.AtLeast != "" || at.Latest {
		layer = e.layer
	}
	if err := consistency.AddRevisionToContext(ctx, newest, head.or(layer), "", consistency.TreatMismatchingTokensAsError); err != nil {
		return nil, "", faultOf(err)
	}
	revision, _, token, err := consistency.RevisionFromContext(ctx)
	if err != nil {
		return nil, "", faultOf(err)
	}
	if at.AtLeast != "" {
		if err := e.given(at.AtLeast, revision); err != nil {
			return nil, "", err
		}
	}
	return ctx, relation.Revision(token.GetToken()), nil
}

// given reports whether this datastore gave the revision out: it names the datastore and
// is not ahead of head.
func (e *Engine) given(r relation.Revision, head datastore.Revision) error {
	invalid := notOurs()
	decoded, err := zedtoken.DecodeRevision(&v1.ZedToken{Token: string(r)}, e.layer)
	switch {
	case err != nil:
		return invalid.Because(err)
	case decoded.Status != zedtoken.StatusValid:
		return invalid.Because(errForeign)
	case decoded.Revision.GreaterThan(head):
		return invalid.Because(fmt.Errorf("it is ahead of the head"))
	}
	return nil
}
