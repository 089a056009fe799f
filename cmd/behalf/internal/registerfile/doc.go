// Package registerfile is what all readers of register files share: opening a file that
// is plain or compressed, and making and checking the entries that are sent to a server.
//
// It owns the bytes and the contract of an entry. It refuses formats: the packages
// native and brreg know those. The import command calls it, and so do they.
package registerfile
