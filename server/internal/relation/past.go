package relation

import "time"

// PastFault is why a question about the past is not answered.
type PastFault uint8

// The reasons. None of them is ever answered from another state instead.
const (
	PastUnknown   PastFault = iota // the revision was never given out
	PastForgotten                  // it is older than what is kept
	PastGuarded                    // only those may ask who may ask about what memory no longer has
	PastAhead                      // it has not come yet
)

// PastError says why a question about the past is not answered, and what can be asked.
type PastError struct {
	Fault          PastFault
	Oldest         time.Time     // the past can be asked about from here on
	OldestRevision string        // the revision at that time, as the datastore writes it
	Memory         time.Duration // what is this old at most anybody may ask about
}

// Error says so in short; the border makes a sentence of it.
func (e *PastError) Error() string {
	switch e.Fault {
	case PastUnknown:
		return "the revision was never given out"
	case PastForgotten:
		return "the past is kept from " + e.Oldest.Format(time.RFC3339Nano) + " on"
	case PastGuarded:
		return "the state is older than what is kept in memory"
	case PastAhead:
		return "the time has not come yet"
	}
	return "the past cannot be asked about"
}
