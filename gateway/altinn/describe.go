package altinn

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/behalf-authz/behalf/gateway/event"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// The attributes that name an app.
const (
	attributeOrg = "urn:altinn:org"
	attributeApp = "urn:altinn:app"
)

// Bounds of a request for descriptions.
const (
	maxApps      = 500
	maxAppsBytes = 1 << 20
)

// attribute is an attribute with its value, as Altinn writes it.
type attribute struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// described is what an app's policy says, as Altinn writes it.
type described struct {
	AppID            []attribute         `json:"appId"`
	ResourcePolicies []describedResource `json:"resourcePolicies"` // null when there is no policy
	MinimumLevel     int32               `json:"minimumAuthenticationLevel"`
	ErrorResponse    string              `json:"errorResponse,omitempty"`
}

type describedResource struct {
	Title       string            `json:"title"`
	Description string            `json:"description,omitempty"`
	Actions     []describedAction `json:"actions"`
	Resource    []attribute       `json:"resource"`
}

type describedAction struct {
	Match      attribute   `json:"match"`
	Title      string      `json:"title"`
	RoleGrants []roleGrant `json:"roleGrants"`
}

type roleGrant struct {
	RoleTypeCode string `json:"roleTypeCode"`
	IsDelegable  bool   `json:"isDelegable"`
}

// describePolicies answers POST policies/GetPolicies: what the policies of apps say. An app
// that has none has an answer of its own that says so.
func (a *API) describePolicies(w http.ResponseWriter, r *http.Request) {
	apps, err := readApps(r.Body)
	if err != nil {
		a.answerInvalid(w, r, map[string][]string{"$": {err.Error()}})
		return
	}
	answers := make([]described, len(apps))
	ctx, counted := r.Context(), false
	for i, app := range apps {
		ref := &behalfv1.PolicyRef{Org: valueOf(app, attributeOrg), App: valueOf(app, attributeApp)}
		if text := unnamed(ref.GetOrg(), ref.GetApp(), textNoOrgInPath, textNoAppInPath); text != "" {
			answers[i] = described{AppID: app, ErrorResponse: text}
			continue
		}
		if answers[i], err = a.describe(ctx, app, ref); err != nil {
			a.answerError(w, r, err)
			return
		}
		if !counted { // the request is one call, whatever it asks about
			ctx, counted = uncounted(ctx), true
		}
	}
	a.answerJSON(w, r, http.StatusOK, contentJSON, answers)
}

// readApps reads a list of apps, each a list of attributes.
func readApps(body io.Reader) ([][]attribute, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAppsBytes+1))
	if err != nil || len(text) > maxAppsBytes {
		return nil, fmt.Errorf("the body could not be read, or has more than %d bytes", maxAppsBytes)
	}
	var apps [][]attribute
	if err := json.Unmarshal(text, &apps); err != nil {
		return nil, fmt.Errorf("the JSON value could not be converted: %w", err)
	}
	if len(apps) > maxApps {
		return nil, fmt.Errorf("at most %d apps are described at once", maxApps)
	}
	return apps, nil
}

// describe returns what the policy of an app says.
func (a *API) describe(ctx context.Context, asked []attribute, ref *behalfv1.PolicyRef) (described, error) {
	out := described{AppID: asked}
	found, err := a.policies.DescribePolicy(ctx, &behalfv1.DescribePolicyRequest{Ref: ref})
	if err != nil {
		if !noPolicy(err) {
			return out, err
		}
		event.From(ctx).Err = err
		out.ErrorResponse = noValidPolicy(ref.GetOrg(), ref.GetApp())
		return out, nil
	}
	out.MinimumLevel = found.GetMinimumAuthenticationLevel()
	out.ResourcePolicies = make([]describedResource, len(found.GetResources()))
	for i, resource := range found.GetResources() {
		out.ResourcePolicies[i] = convertResource(resource)
	}
	return out, nil
}

func valueOf(attributes []attribute, id string) string {
	for _, a := range attributes {
		if a.ID == id {
			return a.Value
		}
	}
	return ""
}

func convertResource(r *behalfv1.PolicyResource) describedResource {
	out := describedResource{Description: r.GetDescription(), Actions: []describedAction{}}
	var values []string
	for _, a := range r.GetAttributes() {
		out.Resource = append(out.Resource, attribute{a.GetId(), a.GetValue()})
		values = append(values, a.GetValue())
	}
	out.Title = strings.Join(values, "/")
	for _, action := range r.GetActions() {
		match := attribute{action.GetAttribute().GetId(), action.GetAttribute().GetValue()}
		converted := describedAction{Match: match, Title: match.Value, RoleGrants: []roleGrant{}}
		for _, role := range action.GetRoles() {
			converted.RoleGrants = append(converted.RoleGrants, roleGrant{RoleTypeCode: role, IsDelegable: action.GetDelegable()})
		}
		out.Actions = append(out.Actions, converted)
	}
	return out
}
