package register

import (
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/register"
)

// progressEvery is how often progress is reported within one phase.
const progressEvery = 200 * time.Millisecond

// Import takes whole files. Nothing is written before the stream has ended.
func (s *Server) Import(stream grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]) error {
	first, err := stream.Recv()
	if errors.Is(err, io.EOF) || err == nil && first.GetHeader() == nil {
		return fault.Field("header", "the first message of an import is its header")
	}
	if err != nil {
		return err
	}
	h := first.GetHeader()
	i, err := s.register.Begin(register.Header{
		Sources: h.GetSources(), AddOnly: h.GetAddOnly(), DryRun: h.GetDryRun(), AllowRemovals: h.GetAllowRemovals(),
	})
	if err != nil {
		return err
	}
	defer i.Close()
	report := &reporter{stream: stream}
	if err := receive(stream, i, report); err != nil {
		return err
	}
	outcome, err := i.Commit(stream.Context(), report.progress)
	if err != nil {
		return err
	}
	return stream.Send(&behalfv1.ImportResponse{Message: &behalfv1.ImportResponse_Outcome{Outcome: outcomeMessage(outcome)}})
}

// receive takes the batches until the stream ends.
func receive(stream grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse], i *register.Import, report *reporter) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		batch := message.GetBatch()
		if batch == nil {
			return fault.Field("header", "an import has one header, its first message")
		}
		entries := make([]register.Entry, len(batch.GetEntries()))
		for n, e := range batch.GetEntries() {
			entries[n] = entry(e)
		}
		progress, err := i.Add(batch.GetSource(), entries)
		if err != nil {
			return err
		}
		report.progress(progress)
	}
}

// reporter sends progress, not more often than anybody would look.
type reporter struct {
	stream grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]
	phase  register.Phase
	last   time.Time
}

func (r *reporter) progress(p register.Progress) {
	if p.Phase == r.phase && time.Since(r.last) < progressEvery && (p.Total == 0 || p.Done < p.Total) {
		return
	}
	r.phase, r.last = p.Phase, time.Now()
	// A client that no longer listens is found out by its context, which ends the import.
	_ = r.stream.Send(&behalfv1.ImportResponse{Message: &behalfv1.ImportResponse_Progress{Progress: &behalfv1.ImportProgress{
		Phase: behalfv1.ImportPhase(p.Phase), Done: p.Done, Total: p.Total,
	}}})
}
