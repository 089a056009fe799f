package policy

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strconv"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/event"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// defaultPage is how long a page is when the call does not say.
const defaultPage = 100

func size(asked int32) int {
	if asked <= 0 {
		return defaultPage
	}
	return min(int(asked), policy.MaxPage)
}

// reference reads what a policy decides about, one of three ways to name it, and notes it
// in the event of the call.
func reference(ctx context.Context, m *behalfv1.PolicyRef) (policy.Ref, error) {
	given := 0
	var ref policy.Ref
	if m.GetOrg() != "" || m.GetApp() != "" {
		given++
		ref = policy.App(m.GetOrg(), m.GetApp())
	}
	if m.GetResource() != "" {
		given++
		ref = policy.Resource(m.GetResource())
	}
	if m.GetType() != "" {
		given++
		ref = policy.Type(m.GetType())
	}
	if given != 1 {
		return policy.Ref{}, fault.Field("ref", "must name org and app, or resource, or type")
	}
	event.Annotate(ctx, slog.String("policy", ref.String()))
	return ref, ref.Validate()
}

func refMessage(r policy.Ref) *behalfv1.PolicyRef {
	switch r.Kind() {
	case policy.OfApp:
		return &behalfv1.PolicyRef{Org: r.Org(), App: r.Name()}
	case policy.OfResource:
		return &behalfv1.PolicyRef{Resource: r.Name()}
	case policy.OfType:
		return &behalfv1.PolicyRef{Type: r.Name()}
	}
	return nil
}

func message(e policy.Entry) *behalfv1.Policy {
	m := &behalfv1.Policy{
		Ref: refMessage(e.Ref), Etag: e.Version.ETag(), Hash: e.Version.Hash, AnyOfPerCategory: e.Version.AnyOf,
		Size: e.Size, ChangedBy: e.By,
	}
	if !e.Made.IsZero() {
		m.ChangedAt = timestamppb.New(e.Made)
	}
	return m
}

func change(c policy.Change) *behalfv1.PolicyChange {
	m := &behalfv1.PolicyChange{Number: c.Number, Kind: kind(c.Kind), ChangedAt: timestamppb.New(c.Made), ChangedBy: c.By}
	if c.Version != (policy.Version{}) {
		m.Etag = c.Version.ETag()
	}
	return m
}

func kind(k policy.ChangeKind) behalfv1.PolicyChangeKind {
	switch k {
	case policy.Put:
		return behalfv1.PolicyChangeKind_POLICY_CHANGE_KIND_PUT
	case policy.Rollback:
		return behalfv1.PolicyChangeKind_POLICY_CHANGE_KIND_ROLLBACK
	case policy.Delete:
		return behalfv1.PolicyChangeKind_POLICY_CHANGE_KIND_DELETE
	}
	return behalfv1.PolicyChangeKind_POLICY_CHANGE_KIND_UNSPECIFIED
}

func findings(found []xacml.Fault) []*behalfv1.PolicyFinding {
	out := make([]*behalfv1.PolicyFinding, len(found))
	for i, f := range found {
		out[i] = &behalfv1.PolicyFinding{
			Kind: string(f.Kind), Line: int32(f.Line), Column: int32(f.Column), Element: f.Element, Message: f.Message,
		}
	}
	return out
}

// expect returns what the writer expects to be current, as the call says or else the HTTP
// request that it was made for.
func expect(ctx context.Context, match, noneMatch string) (policy.Expected, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	for name, field := range map[string]*string{"if-match": &match, "if-none-match": &noneMatch} {
		if *field == "" {
			*field = strings.Join(md.Get(name), ",")
		}
		if strings.Contains(*field, ",") {
			return policy.Expected{}, fault.Field(strings.ReplaceAll(name, "-", "_"), "must be one ETag, or *")
		}
		*field = unquoted(*field)
		if _, ok := policy.ParseETag(*field); !ok && *field != "" && *field != "*" {
			return policy.Expected{}, fault.Field(strings.ReplaceAll(name, "-", "_"), "%q is neither an ETag of a policy nor *", *field)
		}
	}
	return policy.Expected{Match: match, NoneMatch: noneMatch}, nil
}

// unquoted returns an ETag without the quotes that HTTP puts around it.
func unquoted(etag string) string {
	etag = strings.TrimSpace(etag)
	if inner, ok := strings.CutPrefix(etag, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok {
			return inner
		}
	}
	return etag
}

func listToken(after string) string { return base64.RawURLEncoding.EncodeToString([]byte(after)) }

func afterToken(token string) (string, error) {
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", invalidToken()
	}
	return string(after), nil
}

func historyToken(before int64) string { return strconv.FormatInt(before, 10) }

func beforeToken(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	before, err := strconv.ParseInt(token, 10, 64)
	if err != nil || before < 1 {
		return 0, invalidToken()
	}
	return before, nil
}

func invalidToken() error {
	return fault.New(fault.Invalid, fault.ReasonInvalidPageToken, "the page token is not one of this query")
}
