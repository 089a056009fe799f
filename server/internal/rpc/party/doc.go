// Package party is the gRPC PartyService: it turns requests into queries of
// server/internal/party and its values into messages.
//
// It owns the reading of identifiers and role texts and the rule whom a call asks about.
// It refuses to decide anything else: scopes are checked by server/internal/rpc/interceptor
// before a call gets here, errors become statuses there. The composition root registers it.
package party
