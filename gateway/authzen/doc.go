// Package authzen is OpenID AuthZEN 1.0 over HTTP: evaluation, evaluations, the three
// searches and the metadata.
//
// It owns the paths, the JSON of requests and answers, which faults are a status and which
// are an answer, and how obligations are told. It refuses to decide: the EvaluationService
// does, by the rule that its contract tells. Package gateway calls it.
//
// Where the standard leaves something open, schema/DIVERGENCES.md says what is done.
package authzen
