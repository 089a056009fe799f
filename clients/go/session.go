package behalf

import (
	"context"
	"sync"
)

// session remembers a revision that every later read must see.
//
// Revisions cannot be compared here, so two rules keep the remembered one from going back. A
// read's revision is taken only when the read was made at least as fresh as what is remembered
// still: then it cannot be older. Writes are made one after the other, so that the last to be
// answered is the latest.
type session struct {
	writing chan struct{} // holds one token while a write runs
	mu      sync.Mutex
	last    string
}

func newSession(revision string) *session {
	return &session{writing: make(chan struct{}, 1), last: revision}
}

// at returns the revision that a read must see. A nil session has none.
func (s *session) at() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// saw takes the revision of a read that was made at least as fresh as from.
func (s *session) saw(from, revision string) {
	if s == nil || revision == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == from {
		s.last = revision
	}
}

// begin waits until no other write runs. What it returns ends the write, with the revision that
// sees it, empty when it failed.
func (s *session) begin(ctx context.Context) (func(revision string), error) {
	if s == nil {
		return func(string) {}, nil
	}
	select {
	case s.writing <- struct{}{}:
	case <-ctx.Done():
		return nil, typedContext(ctx)
	}
	return func(revision string) {
		if revision != "" {
			s.mu.Lock()
			s.last = revision
			s.mu.Unlock()
		}
		<-s.writing
	}, nil
}

// Session returns a client whose reads see its writes, and never less than an earlier read saw,
// whichever node answers. It begins at a revision, such as one that Client.Revision gave in an
// earlier request of the same user, or empty at none. Its writes wait for each other, so it
// belongs to one user, request or job and not to a whole program. It need not be closed.
func (c *Client) Session(revision string) *Client {
	s := *c
	s.session, s.close = newSession(revision), func() error { return nil }
	return &s
}

// Revision returns the revision that the session's next read will see, empty for a client without
// a session. It is opaque, and may be kept in a cookie: it lets nobody in.
func (c *Client) Revision() string { return c.session.at() }

// revised is an answer that says at which revision it was computed.
type revised interface{ GetRevision() string }

// read makes a call that reads.
func read[A revised](c *Client, call func(fresh string) (A, error)) (A, error) {
	fresh := c.session.at()
	answer, err := call(fresh)
	if err == nil {
		c.session.saw(fresh, answer.GetRevision())
	}
	return answer, err
}

// write makes a call that writes.
func write[A revised](ctx context.Context, c *Client, call func(context.Context) (A, error)) (A, error) {
	end, err := c.session.begin(ctx)
	if err != nil {
		var none A
		return none, err
	}
	answer, err := call(ctx)
	if err != nil {
		end("")
		return answer, err
	}
	end(answer.GetRevision())
	return answer, nil
}
