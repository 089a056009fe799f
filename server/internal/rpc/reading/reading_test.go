package reading_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/rpc/reading"
)

// All requests that are answered from relations can be about the past.
var _ = []reading.Request{
	(*behalfv1.CheckRequest)(nil), (*behalfv1.BulkCheckRequest)(nil), (*behalfv1.ListRolesRequest)(nil),
	(*behalfv1.ListPartiesRequest)(nil), (*behalfv1.ValidatePartyRequest)(nil), (*behalfv1.ListRepresentativesRequest)(nil),
}

func TestAt(t *testing.T) {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	cases := []struct {
		name string
		who  caller.Caller
		r    *behalfv1.CheckRequest
		want relation.At
		bad  bool
	}{
		{"nothing", caller.Caller{}, &behalfv1.CheckRequest{}, relation.At{}, false},
		{"fresh", caller.Caller{Kind: caller.User}, &behalfv1.CheckRequest{AtLeastAsFresh: "a"}, relation.At{AtLeast: "a"}, false},
		{"revision", caller.Caller{Kind: caller.Service, Scopes: []caller.Scope{caller.Check}}, &behalfv1.CheckRequest{AtRevision: "a"}, relation.At{Exact: "a"}, false},
		{"time, administrator", caller.Caller{Kind: caller.Service, Scopes: []caller.Scope{caller.Admin}},
			&behalfv1.CheckRequest{AtTime: timestamppb.New(noon)}, relation.At{Time: noon, Old: true}, false},
		{"user with the scope", caller.Caller{Kind: caller.User, Scopes: []caller.Scope{caller.Admin}},
			&behalfv1.CheckRequest{AtTime: timestamppb.New(noon)}, relation.At{Time: noon}, false},
		{"no time", caller.Caller{}, &behalfv1.CheckRequest{AtTime: &timestamppb.Timestamp{Nanos: -1}}, relation.At{}, true},
		{"year 0", caller.Caller{}, &behalfv1.CheckRequest{AtTime: timestamppb.New(time.Time{})}, relation.At{}, true},
		{"two", caller.Caller{}, &behalfv1.CheckRequest{AtRevision: "a", AtLeastAsFresh: "a"}, relation.At{}, true},
		{"two others", caller.Caller{}, &behalfv1.CheckRequest{AtRevision: "a", AtTime: timestamppb.New(noon)}, relation.At{}, true},
	}
	for _, c := range cases {
		got, err := reading.At(caller.With(t.Context(), c.who), c.r)
		if c.bad != (err != nil) || c.bad && fault.KindOf(err) != fault.Invalid || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}
