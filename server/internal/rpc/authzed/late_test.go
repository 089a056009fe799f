package authzed_test

import (
	"errors"
	"io"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestLateRequest opens a stream and says only later what it asks: what has expired meanwhile is not
// in the answer.
func TestLateRequest(t *testing.T) {
	conn := dial(t, serve(t, startFileEngine(t, prometheus.NewRegistry()), nil, admin()))
	ends := time.Now().Add(time.Second)
	expiring := rel(ref("party", "1"), "dagl", sub("user", "7"))
	expiring.OptionalExpiresAt = timestamppb.New(ends)
	if _, err := v1.NewPermissionsServiceClient(conn).WriteRelationships(t.Context(), touch(expiring, rel(ref("party", "2"), "dagl", sub("user", "7")))); err != nil {
		t.Fatal(err)
	}
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, v1.PermissionsService_LookupResources_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(ends) + 100*time.Millisecond) // the subject: it expires while the stream is open
	if err := stream.SendMsg(&v1.LookupResourcesRequest{Consistency: full(), ResourceObjectType: "party", Permission: "represent", Subject: sub("user", "7")}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for {
		answer := new(v1.LookupResourcesResponse)
		if err := stream.RecvMsg(answer); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, answer.GetResourceObjectId())
	}
	if len(ids) != 1 || ids[0] != "2" {
		t.Errorf("listed are %v, want party 2 alone", ids)
	}
}
