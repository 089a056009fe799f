package engine

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/zedtoken"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// stamp is a revision with its token.
type stamp struct {
	revision datastore.Revision
	token    relation.Revision
}

// head returns the walk over the head and the head's token, for a question that asks for
// nothing else. It makes nothing of what SpiceDB needs: when ok is false, or the walk leaves
// anything, the question is asked anew in a context of Engine.at.
func (e *Engine) head(ctx context.Context, at relation.At) (w Walk, token relation.Revision, ok bool) {
	if e.walks.store == nil || at.Past() || e.running() != nil || ctx.Err() != nil {
		return w, "", false
	}
	if _, ok := ctx.Value(pinned{}).(relation.Revision); ok {
		return w, "", false
	}
	newest := e.recent
	if at.AtLeast != "" || at.Latest {
		newest = e.store.HeadRevision
	}
	head, err := newest(ctx)
	if err != nil {
		return w, "", false
	}
	s := e.stamp.Load()
	if s == nil || !s.revision.Equal(head.Revision) {
		made, err := zedtoken.NewFromRevision(ctx, head.Revision, hashOf(head.SchemaHash), e.layer)
		if err != nil {
			return w, "", false
		}
		s = &stamp{head.Revision, relation.Revision(made.GetToken())}
		e.stamp.Store(s)
	}
	if at.AtLeast != "" && at.AtLeast != s.token && e.given(at.AtLeast, head.Revision) != nil {
		return w, "", false
	}
	w.walks = e.walks
	if w.now, ok = relation.Instant(ctx); !ok {
		w.now = time.Now()
	}
	w.view, w.ok = e.walks.over(head.Revision)
	return w, s.token, w.ok
}

// checkHead answers questions from the head, all or none.
func (e *Engine) checkHead(ctx context.Context, at relation.At, questions []relation.Question) ([]relation.Answer, relation.Revision, bool) {
	w, token, ok := e.head(ctx, at)
	if !ok {
		return nil, "", false
	}
	answers := make([]relation.Answer, len(questions))
	for i := range questions {
		verdict, _ := w.view.Check(ctx, questions[i], w.now)
		if verdict == walk.Undecided {
			return nil, "", false
		}
		answers[i].Allowed = verdict == walk.Allowed
	}
	w.walks.counts[checks][walk.Answered].Add(float64(len(questions)))
	return answers, token, ctx.Err() == nil
}
