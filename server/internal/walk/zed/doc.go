// Package zed translates SpiceDB's definitions into those that package walk compiles.
//
// It owns the meaning of each operator of a stored schema. What it does not know it passes
// on as an operator that is not known, so that SpiceDB answers. server/internal/engine calls it.
package zed
