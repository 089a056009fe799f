package reading

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Request is a request that says which state it is about.
type Request interface {
	GetAtLeastAsFresh() string
	GetAtRevision() string
	GetAtTime() *timestamppb.Timestamp
}

// At returns the state that a request is about. ctx says who asks.
func At(ctx context.Context, r Request) (relation.At, error) {
	at := relation.At{
		AtLeast: relation.Revision(r.GetAtLeastAsFresh()),
		Exact:   relation.Revision(r.GetAtRevision()),
		Old:     caller.From(ctx).Has(caller.Admin),
	}
	if t := r.GetAtTime(); t != nil {
		if t.CheckValid() != nil || t.GetSeconds() <= 0 {
			return relation.At{}, fault.Field("at_time", "is no time after 1970")
		}
		at.Time = t.AsTime()
	}
	given := 0
	for _, is := range []bool{at.AtLeast != "", at.Exact != "", !at.Time.IsZero()} {
		if is {
			given++
		}
	}
	if given > 1 {
		return relation.At{}, fault.New(fault.Invalid, fault.ReasonInvalidArgument,
			"at most one of at_least_as_fresh, at_revision and at_time can be given")
	}
	return at, nil
}
