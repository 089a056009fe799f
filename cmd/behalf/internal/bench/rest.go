package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// largestAnswer bounds what is read of an HTTP answer.
const largestAnswer = 1 << 20

// rest is behalf.v1 over HTTP.
type rest struct {
	client      *http.Client
	base, token string
	permission  string
	consistency Consistency
	revision    string // of the first answer
}

// NewREST returns the target at a base URL. The client is to keep as many connections as
// there are callers.
func NewREST(client *http.Client, base, token, permission string, c Consistency) Target {
	return &rest{client: client, base: strings.TrimSuffix(base, "/"), token: token, permission: permission, consistency: c}
}

func (r *rest) Probe(ctx context.Context, q Question) ([]byte, error) {
	response, body, err := r.check(ctx, q, "")
	if err != nil {
		return nil, err
	}
	r.revision = response.GetRevision()
	return body, nil
}

func (r *rest) Ask(ctx context.Context, _ int, q Question) (bool, error) {
	response, _, err := r.check(ctx, q, r.revision)
	return response.GetAllowed(), err
}

func (r *rest) check(ctx context.Context, q Question, revision string) (*behalfv1.CheckResponse, []byte, error) {
	question, err := protojson.Marshal(checkRequest(q, r.permission, r.consistency, revision))
	if err != nil {
		return nil, nil, err
	}
	body, err := r.call(ctx, http.MethodPost, "/v1/check", question)
	if err != nil {
		return nil, nil, err
	}
	response := new(behalfv1.CheckResponse)
	if err := protojson.Unmarshal(body, response); err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	return response, body, nil
}

// call makes a request and returns the body of an answer that is well.
func (r *rest) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, largestAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Status, bytes.TrimSpace(text))
	}
	return text, nil
}
