package register

import (
	"context"
	"errors"
	"io"
	"time"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// ReasonImportIdle is given when the client sends nothing for too long. Imports run one at
// a time, so a client that has gone quiet must not hold up the others.
const ReasonImportIdle fault.Reason = "IMPORT_IDLE"

// maxBatch is how many entries a batch may have.
const maxBatch = 10_000

// between is the time between two reports of progress while the stream is read. A client
// that reads nothing before it has sent all would otherwise fill the window and stop both.
const between = 500 * time.Millisecond

// Import takes whole files: a header, then batches, then the end of the stream.
func (s *Server) Import(stream behalfv1.RegisterService_ImportServer) error {
	in := s.receive(stream)
	first, err := in.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	header := first.GetHeader()
	if header == nil {
		return fault.Field("header", "must be the first message")
	}
	run, err := s.register.Begin(register.Header{
		Sources: header.GetSources(), AddOnly: header.GetAddOnly(), DryRun: header.GetDryRun(), AllowRemovals: header.GetAllowRemovals(),
	})
	if err != nil {
		return err
	}
	defer run.Close()
	if err := read(stream, in, run); err != nil {
		return err
	}
	var reported time.Time
	outcome, err := run.Commit(stream.Context(), func(p register.Progress) {
		if p.Done != 0 && p.Done != p.Total && time.Since(reported) < between {
			return // the register is locked: nobody waits for a client that reads slowly
		}
		reported = time.Now()
		// A client that is gone is noticed by the context, and by sending the outcome.
		_ = stream.Send(progressMessage(p))
	})
	if err != nil {
		return err
	}
	return stream.Send(outcomeMessage(outcome))
}

// read takes the batches until the stream ends.
func read(stream behalfv1.RegisterService_ImportServer, in *inbox, run *register.Import) error {
	var reported time.Time
	for {
		req, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		batch := req.GetBatch()
		switch {
		case batch == nil:
			return fault.Field("header", "must be the first message and the only header")
		case len(batch.GetEntries()) > maxBatch:
			return fault.Field("batch.entries", "must be at most %d; send more batches", maxBatch)
		}
		progress, err := run.Add(batch.GetSource(), entries(batch.GetEntries()))
		if err != nil {
			return err
		}
		if time.Since(reported) < between {
			continue
		}
		reported = time.Now()
		if err := stream.Send(progressMessage(progress)); err != nil {
			return err
		}
	}
}

// inbox is what a client sends.
type inbox struct {
	messages <-chan received
	done     <-chan struct{}
	reason   func() error
	idle     time.Duration
}

type received struct {
	message *behalfv1.ImportRequest
	err     error
}

// receive receives on a goroutine of its own, since waiting for a message cannot be given
// up. It ends with the stream, which ends with the call.
func (s *Server) receive(stream behalfv1.RegisterService_ImportServer) *inbox {
	ctx := stream.Context()
	messages := make(chan received)
	go func() {
		defer close(messages)
		for {
			var r received
			r.message, r.err = stream.Recv()
			select {
			case messages <- r:
			case <-ctx.Done():
				return
			}
			if r.err != nil {
				return
			}
		}
	}()
	return &inbox{messages: messages, done: ctx.Done(), reason: func() error { return context.Cause(ctx) }, idle: s.idle}
}

// next returns the next message, io.EOF at the end of the stream.
func (in *inbox) next() (*behalfv1.ImportRequest, error) {
	timer := time.NewTimer(in.idle)
	defer timer.Stop()
	select {
	case r, ok := <-in.messages:
		if !ok {
			return nil, in.reason()
		}
		return r.message, r.err
	case <-in.done:
		return nil, in.reason()
	case <-timer.C:
		return nil, fault.New(fault.Deadline, ReasonImportIdle, "nothing was received for %s; nothing was written", in.idle)
	}
}
