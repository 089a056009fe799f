// Package policytest runs folders of requests against policies and says which rules took
// part.
//
// It owns the layout of such folders and the comparison of answers with what is expected.
// It refuses to evaluate: server/policyfile does. The command `behalf policy test` calls it.
//
// # The layout
//
// A case is a folder, at any depth, that has a request.xml or a request.json; one that has
// both is two cases. Beside it or in the nearest folder above that has any, up to the
// folder that is run, are
//
//   - policy*.xml or root-policy*.xml: the policies, of which the only one whose target applies decides;
//   - ref*.xml: policies and sets that these refer to.
//
// What is expected is in the case's own folder: in expected.xml or expected.json, that of
// the request's form first, or in expected.txt. expected.xml is a XACML response.
// expected.json is one, too, or an object, or a list of objects for several questions, with
// decision and, where they matter, status, obligations and advice, the latter two as lists
// of ids. expected.txt is one decision a line. What is not said is not compared.
package policytest
