// Package postgres gives tests a real Postgres of their own.
//
// It owns one server per test binary: found among the programs installed, in a directory
// of its own, reached through a Unix socket in it, so that no port is taken. The server
// goes, with its files, when the tests end, however they end. Each test gets a database
// of its own, empty or a copy of a template.
//
// It refuses to fake anything: where Postgres is not installed, the test is skipped and
// told what to install. It is not part of the server: only tests import it, and the program
// in testkit/peers. It stands outside internal because the tests of the command need it too.
package postgres
