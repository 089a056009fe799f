// Package rounds lets many who ask the same at the same time share one question.
//
// It owns the turn, which one question has at a time, and who shares which answer: that of a
// question which began after he came, so that it is never older than what he knows. It refuses
// to keep an answer for anybody who comes later.
//
// Packages that ask a database for what is new put their question here.
package rounds
