package authzen

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/behalf-authz/behalf/gateway/problem"
)

// metadata is what clients find the endpoints by.
type metadata struct {
	PolicyDecisionPoint       string   `json:"policy_decision_point"`
	AccessEvaluationEndpoint  string   `json:"access_evaluation_endpoint"`
	AccessEvaluationsEndpoint string   `json:"access_evaluations_endpoint"`
	SearchSubjectEndpoint     string   `json:"search_subject_endpoint"`
	SearchResourceEndpoint    string   `json:"search_resource_endpoint"`
	SearchActionEndpoint      string   `json:"search_action_endpoint"`
	SupportedObligations      []string `json:"supported_obligations"`
}

// ValidatePublicURL says what is wrong with the URL by which clients know a server. It is
// the identifier that they compare, so it is never made from what a request says.
func ValidatePublicURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https":
		return fmt.Errorf("%q is no https URL", text)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return errors.New("it must have neither user, query nor fragment")
	case u.Path != "":
		return errors.New("it must have no path: the metadata are at " + MetadataPath + " of the host")
	}
	return nil
}

// Metadata answers with the metadata of a server that clients know by publicURL. Without
// one there are none.
func Metadata(publicURL string) http.HandlerFunc {
	document := metadata{
		PolicyDecisionPoint:       publicURL,
		AccessEvaluationEndpoint:  publicURL + pathEvaluation,
		AccessEvaluationsEndpoint: publicURL + pathEvaluations,
		SearchSubjectEndpoint:     publicURL + pathSubjects,
		SearchResourceEndpoint:    publicURL + pathResources,
		SearchActionEndpoint:      publicURL + pathActions,
		SupportedObligations:      obligationTypes,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		EchoRequestID(w, r)
		if publicURL == "" {
			answerError(w, r, http.StatusNotFound, problem.RouteNotFound,
				"the server does not know by which URL clients reach it: start it with --public-url")
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		answerJSON(w, http.StatusOK, document)
	}
}
