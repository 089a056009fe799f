package authzen_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/internal/standin"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

const (
	bearer   = "Authorization: Bearer service"
	asJSON   = "Content-Type: application/json"
	question = `{"subject":{"type":"user","id":"a"},"action":{"name":"read"},"resource":{"type":"record","id":"1"}}`
)

// Services that say nothing open no door.
func TestSilenceIsNo(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(method string, _ proto.Message) (proto.Message, error) {
		switch method {
		case "Evaluate":
			return &behalfv1.EvaluateResponse{}, nil
		case "BulkEvaluate":
			return &behalfv1.BulkEvaluateResponse{Evaluations: []*behalfv1.Evaluation{{}}}, nil
		case "SearchSubjects":
			return &behalfv1.SearchSubjectsResponse{}, nil
		}
		return nil, nil
	}
	for _, c := range []struct{ path, body, want string }{
		{"evaluation", question, `{"decision":false}`},
		{"evaluations", `{"evaluations":[` + question + `]}`, `{"evaluations":[{"decision":false}]}`},
		{"search/subject", question, `{"page":{"next_token":"","count":0},"results":[]}`},
	} {
		got := standin.Do(t, srv, "POST /access/v1/"+c.path, c.body, bearer, asJSON)
		if got.Status != 200 || got.Body != c.want {
			t.Errorf("%s: %d %s, want %s", c.path, got.Status, got.Body, c.want)
		}
	}
}

// Faults are a status and a message, and those of ours say nothing of their cause.
func TestFaults(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{errors.New("disk /var/lib/behalf is full"), 500, "request id"},
		{standin.Fault(codes.Unavailable, "UNAVAILABLE", "try again"), 503, "try again"},
		{standin.Fault(codes.PermissionDenied, "SCOPE_MISSING", "the call needs the scope behalf:decide"), 403, "behalf:decide"},
		{standin.Fault(codes.InvalidArgument, "INVALID_ARGUMENT", "subject.id: is required"), 400, "subject.id"},
	} {
		services.Answer = func(string, proto.Message) (proto.Message, error) { return nil, c.err }
		for _, path := range []string{"evaluation", "evaluations", "search/subject", "search/resource", "search/action"} {
			got := standin.Do(t, srv, "POST /access/v1/"+path, question, bearer, asJSON, "X-Request-ID: seven")
			var message string
			if err := json.Unmarshal([]byte(got.Body), &message); err != nil || got.Status != c.status ||
				!strings.Contains(message, c.says) || strings.Contains(message, "disk") || got.Header.Get("X-Request-ID") != "seven" {
				t.Errorf("%s: %d %s %v, want %d", path, got.Status, got.Body, err, c.status)
			}
		}
	}
	large := standin.Do(t, srv, "POST /access/v1/evaluation", strings.Repeat(" ", standin.MaxBodyBytes+1), bearer, asJSON)
	if large.Status != 413 {
		t.Errorf("a large body: %d %s", large.Status, large.Body)
	}
}
