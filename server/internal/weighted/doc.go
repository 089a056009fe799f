// Package weighted bounds how much is kept of what can be made again: what was not used for
// the longest time makes room for what is new.
//
// It owns the order of use and the sum of the weights. It refuses to find anything: how a
// value is looked for is its owner's own business, and so is the lock around both.
//
// Packages that keep long lists put them on a Shelf.
package weighted
