// Package checklist proves that logins and tokens hold against providers, browsers and
// strangers that keep no standard: a test for each row of the list of what RFCs and practice
// ask of who relies on identity providers.
//
// It owns the table of rows and the parts as the server puts them together: the paths that
// browsers open, the session service, providers, and records in a file. It refuses to hold
// code that a server needs: it is tests only.
package checklist
