package authzen

import (
	"errors"
	"math"
	"net/http"

	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// page is which part of a list an answer has.
type page struct {
	NextToken string `json:"next_token"`
	Count     int    `json:"count"`
}

// list is the answer to a search.
type list[T any] struct {
	Page    page `json:"page"`
	Results []T  `json:"results"`
}

// found is a subject or a resource.
type found struct {
	Type        string       `json:"type"`
	ID          string       `json:"id"`
	Obligations []obligation `json:"obligations,omitempty"`
}

// foundAction is an action.
type foundAction struct {
	Name        string       `json:"name"`
	Obligations []obligation `json:"obligations,omitempty"`
}

func (a *API) searchSubjects(w http.ResponseWriter, r *http.Request, body object) {
	q, p, ok := asked(w, r, body, keySubject)
	if !ok {
		return
	}
	answer, err := a.evaluations.SearchSubjects(r.Context(), &behalfv1.SearchSubjectsRequest{Question: q, Page: p})
	if err != nil {
		answerFault(w, r, err)
		return
	}
	answerList(w, answer.GetNextToken(), answer.GetResults(), foundEntity)
}

func (a *API) searchResources(w http.ResponseWriter, r *http.Request, body object) {
	q, p, ok := asked(w, r, body, keyResource)
	if !ok {
		return
	}
	answer, err := a.evaluations.SearchResources(r.Context(), &behalfv1.SearchResourcesRequest{Question: q, Page: p})
	if err != nil {
		answerFault(w, r, err)
		return
	}
	answerList(w, answer.GetNextToken(), answer.GetResults(), foundEntity)
}

func (a *API) searchActions(w http.ResponseWriter, r *http.Request, body object) {
	q, p, ok := asked(w, r, body, keyAction)
	if !ok {
		return
	}
	answer, err := a.evaluations.SearchActions(r.Context(), &behalfv1.SearchActionsRequest{Question: q, Page: p})
	if err != nil {
		answerFault(w, r, err)
		return
	}
	answerList(w, answer.GetNextToken(), answer.GetResults(), func(f *behalfv1.SearchedAction) (foundAction, bool) {
		told, ok := obligations(f.GetObligations())
		return foundAction{f.GetName(), told}, ok
	})
}

func foundEntity(f *behalfv1.SearchedEntity) (found, bool) {
	told, ok := obligations(f.GetObligations())
	return found{f.GetType(), f.GetId(), told}, ok
}

// asked reads a search. It answers what cannot be read.
func asked(w http.ResponseWriter, r *http.Request, body object, wanted string) (*behalfv1.EvaluationQuestion, *behalfv1.SearchPage, bool) {
	q, err := question(body, wanted)
	var p *behalfv1.SearchPage
	if err == nil {
		p, err = pageOf(body)
	}
	if err != nil {
		answerError(w, r, http.StatusBadRequest, problem.InvalidArgument, err.Error())
		return nil, nil, false
	}
	return q, p, true
}

// pageOf reads which part of a list is wanted.
func pageOf(body object) (*behalfv1.SearchPage, error) {
	of, err := member[object](body, "page", "page", "an object")
	if err != nil || of == nil {
		return nil, err
	}
	p := &behalfv1.SearchPage{}
	if p.Token, err = member[string](of, "token", "page.token", "a string"); err != nil {
		return nil, err
	}
	if limit, there := of["limit"]; there && limit != nil {
		n, ok := limit.(float64)
		if !ok || n < 0 || n != math.Trunc(n) || n > 1<<53 {
			return nil, errors.New("page.limit must be a non-negative integer")
		}
		whole := int64(n)
		p.Limit = &whole
	}
	return p, nil
}

// answerList answers with a part of a list. A result with an obligation that cannot be told
// is none.
func answerList[M, T any](w http.ResponseWriter, next string, results []M, tell func(M) (T, bool)) {
	out := list[T]{Results: []T{}}
	for _, m := range results {
		if one, ok := tell(m); ok {
			out.Results = append(out.Results, one)
		}
	}
	out.Page = page{next, len(out.Results)}
	answerJSON(w, http.StatusOK, out)
}
