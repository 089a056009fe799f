// Package xmlform reads requests and writes responses of XACML 3.0 in XML.
//
// It owns the two documents and nothing else: it decides nothing and refuses whatever
// package xmltree refuses. Policies are read by package xacml itself.
package xmlform
