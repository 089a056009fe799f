// Package altinn answers Altinn's own paths under /authorization/api/v1 as Altinn's clients
// see them: parties, parties/{partyId}/validate and roles.
//
// It owns Altinn's parameters, bodies and status codes, and the order in which the codes
// are decided: a client that tells 403 from 404 must find both where Altinn has them.
// Parameters that Altinn does not have (limit, cursor, search, role, sort, includeDeleted)
// are off unless given, and change no body's shape: the next page is in the Link header, the
// total in X-Total-Count.
//
// It refuses to ask for anybody else than the caller: on these paths the user asked about is
// the token's, whoever calls. Services use the gRPC contract or /v1. Where we differ from
// Altinn: paths are matched without regard to case, as there, but only with the escapes
// resolved; a sub-unit is always partyTypeName 2; a party without a record has partyTypeName 0.
// Package gateway calls it.
package altinn
