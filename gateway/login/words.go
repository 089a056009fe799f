package login

import "net/http"

// words are the texts of the pages in one language.
type words struct {
	Choose, Logout, LogoutAsk, LogoutDo, SignedOut, SignedOutText, Error, Again, LogIn, Reference string
	BadAttempt, Refused, Unknown, Unavailable, Broken                                             string
	Party, Search, SearchDo, Found, Next, Back, Current, Deleted, NotRepresented                  string
}

// wordsOf returns the texts in a language.
func wordsOf(lang string) words {
	if lang == "nb" {
		return words{
			Choose: "Velg hvordan du vil logge inn", Logout: "Logg ut", LogoutAsk: "Vil du logge ut?", LogoutDo: "Logg ut",
			SignedOut: "Du er logget ut", SignedOutText: "Lukk nettleseren hvis andre også bruker denne maskinen.",
			Error: "Innloggingen lyktes ikke", Again: "Prøv igjen", LogIn: "Logg inn", Reference: "Referanse",
			BadAttempt:  "Denne siden hører ikke til en innlogging som er i gang her. Den kan ha tatt for lang tid.",
			Refused:     "Innloggingstjenesten slapp deg ikke inn, eller innloggingen var ikke sikker nok.",
			Unknown:     "Siden finnes ikke.",
			Unavailable: "Innloggingstjenesten svarer ikke. Prøv igjen om litt.",
			Broken:      "Noe gikk galt hos oss.",
			Party:       "Velg hvem du vil handle på vegne av", Search: "Søk etter navn eller organisasjonsnummer", SearchDo: "Søk",
			Found: "Antall", Next: "Neste side", Back: "Tilbake uten å velge", Current: "Valgt nå", Deleted: "slettet",
			NotRepresented: "Du kan ikke handle på vegne av den du valgte.",
		}
	}
	return words{
		Choose: "Choose how to log in", Logout: "Log out", LogoutAsk: "Do you want to log out?", LogoutDo: "Log out",
		SignedOut: "You are logged out", SignedOutText: "Close the browser if others use this computer too.",
		Error: "The login did not succeed", Again: "Try again", LogIn: "Log in", Reference: "Reference",
		BadAttempt:  "This page belongs to no login that is under way here. It may have taken too long.",
		Refused:     "The identity provider did not let you in, or the login was not strong enough.",
		Unknown:     "There is no such page.",
		Unavailable: "The identity provider does not answer. Try again in a moment.",
		Broken:      "Something went wrong on our side.",
		Party:       "Choose whom you act on behalf of", Search: "Search by name or organisation number", SearchDo: "Search",
		Found: "Number found", Next: "Next page", Back: "Back without choosing", Current: "Chosen now", Deleted: "deleted",
		NotRepresented: "You may not act on behalf of the party that you chose.",
	}
}

// of returns what a page says of a status.
func (w words) of(code int) string {
	switch code {
	case http.StatusBadRequest:
		return w.BadAttempt
	case http.StatusForbidden:
		return w.Refused
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return w.Unknown
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return w.Unavailable
	}
	return w.Broken
}
