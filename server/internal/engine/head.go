package engine

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datalayer"
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
// nothing else. It makes nothing of what SpiceDB needs: when w is not ok, or the walk leaves
// anything, the question is asked anew in a context of Engine.atHead, with the head that was
// found. That is none where atHead has to say what is wrong.
func (e *Engine) head(ctx context.Context, at relation.At) (w Walk, token relation.Revision, f foundHead) {
	if e.walks.store == nil || at.Past() || e.running() != nil || ctx.Err() != nil {
		return w, "", f
	}
	if _, ok := ctx.Value(pinned{}).(relation.Revision); ok {
		return w, "", f
	}
	newest := e.recent
	if at.AtLeast != "" || at.Latest {
		newest = e.store.HeadRevision
	}
	head, err := newest(ctx)
	if err != nil {
		return w, "", f
	}
	s := e.stamp.Load()
	if s == nil || !s.revision.Equal(head.Revision) {
		made, err := zedtoken.NewFromRevision(ctx, head.Revision, hashOf(head.SchemaHash), e.layer)
		if err != nil {
			return w, "", f
		}
		s = &stamp{head.Revision, relation.Revision(made.GetToken())}
		e.stamp.Store(s)
	}
	if at.AtLeast != "" && at.AtLeast != s.token && e.given(at.AtLeast, head.Revision) != nil {
		return w, "", f
	}
	f.head = head
	w.walks = e.walks
	var ok bool
	if w.now, ok = relation.Instant(ctx); !ok {
		w.now = time.Now()
	}
	w.stand(head.Revision)
	return w, s.token, f
}

// foundHead is the head that a call has found. It is for that call alone: what is written after it
// is not in it. The zero value is none.
type foundHead struct {
	head datastore.RevisionWithSchemaHash
}

// or returns what answers with the head that was found, or with another layer's when none was.
func (f foundHead) or(layer datalayer.DataLayer) datalayer.DataLayer {
	if f.head.Revision == nil {
		return layer
	}
	return &freshLayer{layer, func(context.Context) (datastore.RevisionWithSchemaHash, error) { return f.head, nil }}
}

// checkHead answers questions from the head, all or none.
func (e *Engine) checkHead(ctx context.Context, at relation.At, questions []relation.Question) ([]relation.Answer, relation.Revision, foundHead, bool) {
	w, token, head := e.head(ctx, at)
	if !w.ok {
		return nil, "", head, false
	}
	answers := make([]relation.Answer, len(questions))
	for i := range questions {
		verdict, _ := w.view.Check(ctx, questions[i], w.now)
		if verdict == walk.Undecided {
			return nil, "", head, false
		}
		answers[i].Allowed = verdict == walk.Allowed
	}
	w.walks.counts[checks][walk.Answered].Add(float64(len(questions)))
	return answers, token, head, ctx.Err() == nil
}
