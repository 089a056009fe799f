// Package function owns the functions of XACML 3.0 (core, appendix A.3): their
// identifiers, also the deprecated ones, their types, and what they compute.
//
// It refuses requests and policies: a function sees operands only. Those that choose
// which arguments to evaluate, that take a function as argument or that look into the
// request's content are declared here and computed by package xacml, its only caller.
package function
