package altinn_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// BenchmarkList is the gateway's share of a list, over loopback HTTP.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			list := &behalfv1.ListPartiesResponse{TotalSize: int32(n)}
			for i := range n {
				p := proto.Clone(register[0]).(*behalfv1.Party) //nolint:forcetypeassert // a clone has its type
				p.PartyId, p.SubUnits = int64(i+1), nil
				list.Parties = append(list.Parties, p)
			}
			services, srv := standin.Gateway(b, nil)
			services.Answer = func(string, proto.Message) (proto.Message, error) { return list, nil }
			b.ReportAllocs()
			for b.Loop() {
				if got := standin.Do(b, srv, "GET "+api+"/parties?userid=20000490", "", bearer); got.Status != 200 {
					b.Fatalf("status %d", got.Status)
				}
			}
		})
	}
}
