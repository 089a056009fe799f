// Package native reads the project's own format for registers: JSON Lines, one party or
// assignment a line, described in schema/NATIVE.md and schema/native.schema.json.
//
// It is strict: a field it does not know, a value of the wrong type and a field given
// twice make the line unreadable, because a misspelt field would else be lost without a
// word. An unreadable line is an entry of its own, with the line, the field and, where it
// can be read, a reference to the party; only a header that cannot be read ends the file.
// It refuses to judge what lines mean together: that is the server's work. The commands
// import and serve --demo call it.
package native
