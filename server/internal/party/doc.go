// Package party is the register's parties as the services see them: what a party is,
// the directory that lists are made of, and the answers to whom a user may act for.
//
// It owns the values, the order and search of lists, their pages, and the rule which
// party a caller may see. Whether somebody may represent somebody it asks of the
// relation graph, and it keeps nothing of that answer beyond its revision.
//
// It refuses storage (server/internal/records is the truth that the directory is filled
// from), writes (server/internal/register) and every transport. server/internal/rpc/party
// calls the service; the register, the composition root and rpc/party read the directory.
package party
