package e2e

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// sample is one call of a flood: how long it took since it was due, and what became of it.
type sample struct {
	took    time.Duration
	refused bool   // as it should be
	failed  string // as it should not
}

// samples are those of a caller.
type samples []sample

func (s samples) refused() samples {
	return slices.DeleteFunc(slices.Clone(s), func(c sample) bool { return !c.refused })
}

func (s samples) served() (n int) {
	for _, c := range s {
		if !c.refused && c.failed == "" {
			n++
		}
	}
	return n
}

// failed returns how many calls failed otherwise, and how one of them did.
func (s samples) failed() string {
	n, how := 0, ""
	for _, c := range s {
		if c.failed != "" {
			n, how = n+1, c.failed
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d calls fail, such as with %s", n, len(s), how)
}

// quantile returns the time that so many in a hundred calls do not exceed.
func (s samples) quantile(percent int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	byTime := slices.SortedFunc(slices.Values(s), func(a, b sample) int { return cmp.Compare(a.took, b.took) })
	return byTime[(len(s)-1)*percent/100].took
}

// caller makes one call.
type caller func(context.Context) (refused bool, err error)

// calls makes so many calls a second for a while, each when it is due, whether those before
// have been answered or not, and returns when all are.
func (c caller) calls(ctx context.Context, rate int, lasts time.Duration) samples {
	all := make(samples, int(float64(rate)*lasts.Seconds()))
	begun := time.Now()
	var group sync.WaitGroup
	for n := range all {
		due := begun.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait) // the subject: calls come at their rate
		}
		group.Go(func() {
			refused, err := c(ctx)
			all[n] = sample{took: time.Since(due), refused: refused}
			if err != nil {
				all[n].failed = err.Error()
			}
		})
	}
	group.Wait()
	return all
}

// How many questions a call asks, so that ten times the calls that a caller may make would be
// felt by others if all were answered. JSON costs several times what the wire format of gRPC does.
const (
	questionsOverGRPC = 20
	questionsOverHTTP = 5
)

func overloadRequest(questions int) *behalfv1.BulkCheckRequest {
	request := new(behalfv1.BulkCheckRequest)
	for n := range questions {
		request.Questions = append(request.Questions, &behalfv1.CheckQuestion{
			Object: &behalfv1.ObjectReference{Type: "party", Id: strconv.Itoa(50010001 + n)}, Permission: "represent",
		})
	}
	return request
}

// grpcCaller calls over gRPC. A refusal must say why, and when to come again.
func grpcCaller(conn grpc.ClientConnInterface, token string, patient time.Duration) caller {
	client, request := behalfv1.NewCheckServiceClient(conn), overloadRequest(questionsOverGRPC)
	return func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(as(ctx, token), patient)
		defer cancel()
		answer, err := client.BulkCheck(ctx, request)
		if err == nil {
			if len(answer.GetAnswers()) != questionsOverGRPC {
				return false, fmt.Errorf("%d answers", len(answer.GetAnswers()))
			}
			return false, nil
		}
		if status.Code(err) != codes.ResourceExhausted {
			return false, err
		}
		reason, after := "", time.Duration(0)
		for _, d := range status.Convert(err).Details() {
			switch d := d.(type) {
			case *errdetails.ErrorInfo:
				reason = d.GetReason()
			case *errdetails.RetryInfo:
				after = d.GetRetryDelay().AsDuration()
			}
		}
		if (reason != "RATE_LIMITED" && reason != "TOO_MANY_CALLS") || after <= 0 {
			return false, fmt.Errorf("refused for %q, to come again after %s: %w", reason, after, err)
		}
		return true, nil
	}
}

// httpCaller calls over HTTP, likewise.
func httpCaller(t *testing.T, url, token string, patient time.Duration) caller {
	t.Helper()
	body, err := protojson.Marshal(overloadRequest(questionsOverHTTP))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 128, MaxConnsPerHost: 128}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport, Timeout: patient}
	return func(ctx context.Context) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/check/bulk", bytes.NewReader(body))
		if err != nil {
			return false, err
		}
		req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
		res, err := client.Do(req)
		if err != nil {
			return false, err
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			return false, err
		}
		switch res.StatusCode {
		case http.StatusOK:
			return false, nil
		case http.StatusTooManyRequests:
			if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err != nil || seconds < 1 {
				return false, fmt.Errorf("refused with Retry-After %q", res.Header.Get("Retry-After"))
			}
			return true, nil
		}
		return false, fmt.Errorf("status %d: %s", res.StatusCode, text)
	}
}
