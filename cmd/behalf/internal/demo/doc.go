// Package demo is the register that `behalf serve --demo` loads, and the questions that it
// suggests.
//
// It owns a small fictional world of five persons and nine organisations, and what is true
// in it. It refuses to speak to a server: the cli loads the register and prints the
// questions. The numbers are synthetic: no person or organisation has them.
package demo
