package authzen

import (
	"fmt"
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// semantics are the values of options.evaluations_semantic.
var semantics = map[string]behalfv1.EvaluationSemantic{
	"":                       behalfv1.EvaluationSemantic_EVALUATION_SEMANTIC_UNSPECIFIED,
	"execute_all":            behalfv1.EvaluationSemantic_EVALUATION_SEMANTIC_UNSPECIFIED,
	"deny_on_first_deny":     behalfv1.EvaluationSemantic_EVALUATION_SEMANTIC_DENY_ON_FIRST_DENY,
	"permit_on_first_permit": behalfv1.EvaluationSemantic_EVALUATION_SEMANTIC_PERMIT_ON_FIRST_PERMIT,
}

// decision is the answer to a question. The zero decision lets nobody in.
type decision struct {
	Decision bool             `json:"decision"`
	Context  *decisionContext `json:"context,omitempty"`
}

// decisionContext is what is told beside a decision. Where somebody is let in without
// obligations there is none: whoever asks may take one that he does not understand for a no.
type decisionContext struct {
	ReasonAdmin map[string]string `json:"reason_admin,omitempty"` // by language
	Obligations []obligation      `json:"obligations,omitempty"`
	Advice      []obligation      `json:"advice,omitempty"`
	Error       *itemError        `json:"error,omitempty"`
}

// itemError is why one of several questions could not be answered.
type itemError struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// evaluate answers POST evaluation.
func (a *API) evaluate(w http.ResponseWriter, r *http.Request, body object) {
	q, err := question(body, "")
	if err != nil {
		answerError(w, r, http.StatusBadRequest, problem.InvalidArgument, err.Error())
		return
	}
	answer, err := a.evaluations.Evaluate(r.Context(), &behalfv1.EvaluateRequest{Question: q})
	if err != nil {
		answerFault(w, r, err)
		return
	}
	e := answer.GetEvaluation()
	ev := event.From(r.Context())
	ev.Decision, ev.Why = strconv.FormatBool(e.GetPermitted()), e.GetReason()
	answerJSON(w, http.StatusOK, decisionOf(e))
}

// evaluateAll answers POST evaluations.
func (a *API) evaluateAll(w http.ResponseWriter, r *http.Request, body object) {
	request, err := questions(body)
	if err != nil {
		answerError(w, r, http.StatusBadRequest, problem.InvalidArgument, err.Error())
		return
	}
	if request == nil { // no evaluations: exactly as the other endpoint
		a.evaluate(w, r, body)
		return
	}
	answer, err := a.evaluations.BulkEvaluate(r.Context(), request)
	if err != nil {
		answerFault(w, r, err)
		return
	}
	decisions := make([]decision, len(answer.GetEvaluations()))
	permitted := 0
	ev := event.From(r.Context())
	for i, e := range answer.GetEvaluations() {
		decisions[i] = decisionOf(e)
		if decisions[i].Decision {
			permitted++
		} else if ev.Why == "" {
			ev.Why = e.GetReason()
		}
	}
	ev.Decision = fmt.Sprintf("%d of %d true", permitted, len(decisions))
	answerJSON(w, http.StatusOK, map[string]any{"evaluations": decisions})
}

// questions reads the questions of several evaluations, nil when there are none. What is
// wrong with one of them spoils no other.
func questions(body object) (*behalfv1.BulkEvaluateRequest, error) {
	items, err := member[[]any](body, "evaluations", "evaluations", "an array")
	if err != nil {
		return nil, err
	}
	options, err := member[object](body, "options", "options", "an object")
	if err != nil {
		return nil, err
	}
	name, err := member[string](options, "evaluations_semantic", "options.evaluations_semantic", "a string")
	if err != nil {
		return nil, err
	}
	semantic, known := semantics[name]
	if !known {
		return nil, fmt.Errorf("options.evaluations_semantic must be execute_all, deny_on_first_deny or permit_on_first_permit")
	}
	defaults := object{}
	for _, key := range entities {
		of, err := member[object](body, key, key, "an object")
		if err != nil {
			return nil, err
		}
		if of != nil {
			defaults[key] = of
		}
	}
	if len(items) == 0 {
		return nil, nil //nolint:nilnil // there are none
	}
	request := &behalfv1.BulkEvaluateRequest{Semantic: semantic}
	for _, item := range items {
		request.Questions = append(request.Questions, ofItem(item, defaults))
	}
	return request, nil
}

// ofItem reads one of several questions. What it says replaces a default as a whole.
func ofItem(item any, defaults object) *behalfv1.EvaluationQuestion {
	own, ok := item.(object)
	if !ok {
		return &behalfv1.EvaluationQuestion{Fault: "an evaluation must be an object"}
	}
	merged := object{}
	for _, key := range entities {
		merged[key] = defaults[key]
		if v := own[key]; v != nil {
			merged[key] = v
		}
	}
	q, err := question(merged, "")
	if err != nil {
		return &behalfv1.EvaluationQuestion{Fault: err.Error()}
	}
	return q
}

// decisionOf returns an answer as the standard has it. An obligation that cannot be told
// keeps the door closed: whoever does not hear of it cannot meet it.
func decisionOf(e *behalfv1.Evaluation) decision {
	told, ok := obligations(e.GetObligations())
	advice, _ := obligations(e.GetAdvice())
	d := decision{Decision: e.GetPermitted() && e.GetErrorCode() == 0 && ok}
	c := &decisionContext{Obligations: told, Advice: advice}
	if !d.Decision && e.GetReason() != "" {
		c.ReasonAdmin = map[string]string{"en": e.GetReason()}
	}
	if code := e.GetErrorCode(); code != 0 {
		c.Error = &itemError{Status: problem.HTTPStatus(codes.Code(code)), Message: e.GetReason()}
		c.ReasonAdmin = nil
	}
	if c.ReasonAdmin != nil || c.Error != nil || len(told) > 0 || len(advice) > 0 {
		d.Context = c
	}
	return d
}
