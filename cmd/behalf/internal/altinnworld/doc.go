// Package altinnworld reads a directory of the files that stand in for Altinn's other
// systems in tests of its authorization: register, profiles, roles, delegations, access
// packages, access lists, resources, policies and instances.
//
// It owns what each file says and how what they leave open is filled in: a party that only
// an id is known of gets a made-up name and organisation number, a user without a person
// gets one, and what answers in the files show of hierarchies and key roles becomes
// records. It refuses to write: behalf import sends what it finds. A file that is missing
// says nothing; one that cannot be read ends the import; an entry that makes no sense is
// reported by file and field, and the rest is taken.
package altinnworld
