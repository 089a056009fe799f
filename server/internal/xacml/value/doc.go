// Package value owns the data types of XACML 3.0: how a text becomes a value, when two
// values are equal, how they are ordered, and the calendar arithmetic of XML Schema.
//
// It refuses attributes, policies and functions: package function builds on it, and
// package xacml on both. A text is parsed when its value is first needed, so that a
// request may carry attributes nobody asks about in whatever shape.
package value
