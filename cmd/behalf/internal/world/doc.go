// Package world makes registers for trying and testing: as many parties as asked for,
// and what follows from them, worked out without a server.
//
// The parties are usually 45 % sub-units, 30 % main units and estates, and the rest persons, of
// whom nine in ten can log in. Persons hold the key roles; accounting firms are
// accountants of other organisations, most of them of few and a few of many; some units
// are struck off, some roles have ended and some will. Some users may represent an exact
// number of parties, their own counted: 1, and as the world allows 100, 1,000, 10,000 and
// 100,000. The register is written while it is made, so that memory holds little of each party.
// The same number of parties and seed give the same bytes. Names and numbers are invented.
//
// The package owns the invented register and an evaluator of the rules of representation
// that is written for being right, not for being fast, and shares no code with the
// server, so that the one can be held against the other. It refuses to read registers:
// package native does. The command generate calls it.
package world
