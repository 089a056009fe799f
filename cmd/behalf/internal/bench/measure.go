package bench

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Names of the measurements.
const (
	CheckName = "check"
	ChainName = "chain" // a method that does nothing, behind all that a call of Behalf passes
	FloorName = "floor" // the same requests to a bare server

	ListName        = "list"         // all parties of a user in one answer; of a peer, however it lists
	LookupName      = "lookup"       // the same by authzed.api.v1
	LookupFloorName = "lookup floor" // as many ready answers of a bare server
)

// Latency is how long calls took, in microseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func latency(h *hdrhistogram.Histogram) Latency {
	at := func(percentile float64) float64 { return micros(time.Duration(h.ValueAtPercentile(percentile))) }
	return Latency{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: micros(time.Duration(h.Max()))}
}

// Wrong is an answer that is not the oracle's.
type Wrong struct {
	User     string `json:"user"`
	Party    string `json:"party"`
	Answered bool   `json:"answered"`
	Oracle   bool   `json:"oracle"`
}

// Measurement is what came of one load on one server.
type Measurement struct {
	Name      string   `json:"name"`                   // check, chain, floor, list, lookup or lookup floor
	Peer      string   `json:"peer,omitempty"`         // whose; empty for the target
	What      string   `json:"what"`                   // the method
	Calls     uint64   `json:"calls"`                  // allowed, denied and failed ones
	Allowed   uint64   `json:"allowed"`                // answers
	Denied    uint64   `json:"denied"`                 // answers
	Failed    uint64   `json:"failed"`                 // calls without an answer
	Fault     string   `json:"fault,omitempty"`        // of the first that failed
	Wrong     uint64   `json:"wrong"`                  // answers that are not the oracle's
	Examples  []Wrong  `json:"wrongAnswers,omitempty"` // the first of them
	Unsent    uint64   `json:"unsent,omitempty"`       // calls of an open loop that had not been made when it was given up
	Seconds   float64  `json:"seconds"`
	Slices    int      `json:"slices,omitempty"`     // of the time, in turn with those of what it is compared with
	PerSecond float64  `json:"perSecond"`            // calls that were answered
	Latency   Latency  `json:"latencyMicros"`        // in an open loop from the moment the call was meant to start
	Late      *Latency `json:"lateMicros,omitempty"` // open loop: how long after that moment it was sent
	CPU       *CPU     `json:"cpu,omitempty"`        // of the server
}

// CPU is the processor time of a server's processes.
type CPU struct {
	Seconds       float64 `json:"seconds"`
	MicrosPerCall float64 `json:"microsPerCall"`
}

// Measure warms a server up and measures it in one piece. The processes are those whose
// processor time is its; without any, none is measured. Progress is told of the part and
// how far it is.
func (l Load) Measure(ctx context.Context, name, what string, asker Asker, questions *Questions,
	processes Processes, progress func(phase string, done, total time.Duration),
) (Measurement, error) {
	all, err := l.Alternate(ctx, questions, progress, Measurand{name, what, asker, processes})
	if err != nil {
		return Measurement{}, err
	}
	return all[0], nil
}

// label names the measurement among those of the report.
func (m Measurement) label() string {
	if m.Peer == "" {
		return m.Name
	}
	return m.Name + ", " + m.Peer
}

func (t *tally) measurement(name, what string) Measurement {
	m := Measurement{
		Name: name, What: what,
		Calls: t.calls(), Allowed: t.allowed, Denied: t.denied, Failed: t.failed, Wrong: t.wrongs, Examples: t.wrong, Unsent: t.unsent,
		Seconds: t.elapsed.Seconds(), PerSecond: float64(t.allowed+t.denied) / t.elapsed.Seconds(), Latency: latency(t.latency),
	}
	if t.fault != nil {
		m.Fault = t.fault.Error()
	}
	return m
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
