// Package docs holds the documentation to the program: links lead somewhere, and every block of
// commands does what the text says.
//
// It owns the tests of Markdown that concern no one package; it has no code besides. A block of
// commands is a fence with "sh". The blocks of a document are run in order, as one reader would,
// in a directory of their own; a line "# → text" says what the command before it prints. Words
// after "sh" are programs that the block needs, nginx or initdb. It refuses blocks in other
// shells' names, which nobody would run.
package docs
