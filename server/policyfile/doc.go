// Package policyfile evaluates policies that are files, without a server.
//
// It owns how texts become a set that can be asked: which of several policies decides, by
// what references are resolved, what an invalid text answers, and in which form a response
// is written. It refuses files, and everything that a server adds to a request: what is not
// in the request is not there. The evaluator is server/internal/xacml. The commands below
// `behalf policy` call it.
package policyfile
