// Package brreg reads the public bulk files of the Norwegian register of business
// enterprises, Enhetsregisteret of Brønnøysundregistrene, as served at
// https://data.brreg.no/enhetsregisteret/api under enheter/lastned, underenheter/lastned
// and roller/totalbestand.
//
// Each file is one JSON array of objects, or JSON Lines of the same objects, and is read
// object by object. An object that is not JSON is one unreadable entry with its line; the
// reader finds the next object and goes on. Fields that are not listed here are ignored,
// since the register adds some from time to time.
//
// Of enheter (main units) and underenheter (sub-units):
//
//	organisasjonsnummer       the organisation number
//	navn                      the name
//	organisasjonsform.kode    the unit type: BEDR and AAFY are sub-units, KBO is an estate
//	overordnetEnhet           a sub-unit's main unit; of a main unit, its place in the
//	                          hierarchy of public bodies, an ORGL assignment
//	slettedato                the day it was struck off
//	nedleggelsesdato          the day a sub-unit was closed, when it has no slettedato
//
// The flag konkurs changes nothing: the company is the same party, its estate another.
//
// Of roller, which holds an object per organisation:
//
//	organisasjonsnummer                     the organisation
//	rollegrupper[].roller[].type.kode       the role
//	….person.{fodselsdato,navn,erDoed}      the holder, when a person
//	….enhet.{organisasjonsnummer,erSlettet} the holder, when an organisation
//	….fratraadt, ….avregistrert             has resigned, has been struck off
//
// A role that has been resigned or struck off is no assignment, and the dead and
// organisations that are struck off hold nothing; all three are counted as left out.
//
// Persons have only a name and a birth date, which two people can share. So a person is
// derived: one per organisation, name and birth date, without a login. Merged, the
// person is one per name and birth date, and two people who share both become one who
// acts for the companies of both: that is for trials.
//
// Each file is the whole truth of its own source: brreg.enheter, brreg.underenheter,
// brreg.roller. The package refuses to download anything and to judge role codes, which
// are the catalogue's. The import command calls it.
package brreg
