package interceptor_test

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// TestStopEndsEndlessStreams has a stream that waits for its client when the server stops:
// it ends with a reason, and one that is not endless goes on.
func TestStopEndsEndlessStreams(t *testing.T) {
	for _, endless := range []bool{true, false} {
		f := newFixture(t, func(c *interceptor.Config) {
			if endless {
				c.Endless = []string{behalfv1.RegisterService_Import_FullMethodName}
			}
		})
		serving, over := make(chan struct{}), make(chan struct{})
		f.imports.serve = func(stream grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]) error {
			close(serving)
			select {
			case <-stream.Context().Done():
				return stream.Context().Err()
			case <-over:
				return nil
			}
		}
		stream, err := behalfv1.NewRegisterServiceClient(f.conns["network"]).Import(f.asService(t, "behalf:register.write"))
		if err != nil {
			t.Fatal(err)
		}
		<-serving
		f.chain.Stop()
		if !endless {
			close(over)
		}
		_, err = stream.Recv()
		if got := status.Code(err); endless && got != codes.Unavailable {
			t.Errorf("an endless stream ended with %v", err)
		} else if !endless && err.Error() != "EOF" {
			t.Errorf("a stream with an end of its own ended with %v", err)
		}
	}
}
