// Package xacml evaluates policies of XACML 3.0.
//
// It owns the compiled form of a policy, the decision that a policy takes about a
// request (core, chapter 7), the combining algorithms (appendix C), the Multiple
// Decision Profile and the reasons of a decision. Parse makes a Policy of a text, once;
// a Policy is immutable and may decide any number of requests at the same time.
// Policy.Evaluate decides one request, Respond one that asks several questions.
// Package xmlform and package jsonform read requests and write responses.
//
// It refuses input and output: it opens no file, fetches no policy and asks nobody for
// an attribute. Referenced policies come through Resolver, the time is given, and what
// is not in the request is not there. The zero Decision is Indeterminate: whatever goes
// wrong, nobody is let in.
//
// Policies that only say which subjects may do which actions on which resources, as
// all those of Altinn do, are also compiled to a lookup. It gives the same answers as
// the general evaluator and is used when nobody asks for an explanation.
package xacml
