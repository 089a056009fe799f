package login

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

const (
	// pageOfParties is how many parties the page shows at once.
	pageOfParties = 25
	// maxSearch is the greatest length of what is searched for, in bytes.
	maxSearch = 256
	// maxChoice bounds the body of a choice.
	maxChoice = 8 << 10
	// altinnParty is the cookie in which Altinn's browsers hold their choice, which goes before that
	// of the session.
	altinnParty = "AltinnPartyId"
)

// partyList is what the page of parties shows.
type partyList struct {
	Entries        []partyEntry
	Search, Return string
	Next           string // address of the next page
	Total          int32
}

type partyEntry struct {
	ID               int64
	Name, Number     string
	Current, Deleted bool
}

// origin returns the origin that the browser goes to after a choice, with a space before it,
// when that is another's: a browser holds the redirect after a form to the form's policy.
func (l partyList) origin() string {
	u, err := url.Parse(l.Return)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, "; ,'\"") {
		return ""
	}
	return " " + u.Scheme + "://" + u.Host
}

// parties asks for a page of parties.
func (d *Doors) parties(r *http.Request, size int32, search, token, back string) (*behalfv1.ListSessionPartiesResponse, error) {
	return d.sessions.ListSessionParties(r.Context(), &behalfv1.ListSessionPartiesRequest{
		Session: cookie(r, d.cookie), Search: search, PageSize: size, PageToken: token, ReturnTo: back,
	})
}

// showParties shows the page to choose from, with what is wrong if something is.
func (d *Doors) showParties(w http.ResponseWriter, r *http.Request, code int, said string) {
	search, back := query(r, "search"), query(r, "return")
	if r.Method == http.MethodPost {
		search, back = "", formValue(r, "return")
	}
	if len(search) > maxSearch {
		search = ""
	}
	token := query(r, "page_token")
	answer, err := d.parties(r, pageOfParties, search, token, back)
	switch status := statusOf(err); {
	case status == http.StatusForbidden: // nobody is logged in, or no longer
		event.From(r.Context()).Err = err
		d.logInFirst(w, r, back)
		return
	case status == http.StatusBadRequest && token != "": // of a list that has changed
		http.Redirect(w, r, address(pathParty, map[string]string{"search": search, "return": back}), http.StatusSeeOther)
		return
	case err != nil:
		d.pages.fault(w, r, err)
		return
	}
	list := partyList{Search: search, Return: answer.GetReturnTo(), Total: answer.GetTotalSize()}
	if next := answer.GetNextPageToken(); next != "" {
		list.Next = address(pathParty, map[string]string{"search": search, "page_token": next, "return": answer.GetReturnTo()})
	}
	for _, p := range answer.GetParties() {
		list.Entries = append(list.Entries, entryOf(p, answer.GetChosenPartyId()))
	}
	d.pages.write(w, r, code, pageParty, view{Parties: list}, said)
}

func entryOf(p *behalfv1.Party, chosen int64) partyEntry {
	e := partyEntry{
		ID: p.GetPartyId(), Name: p.GetName(), Number: p.GetOrgNumber(), Current: p.GetPartyId() == chosen, Deleted: p.GetDeleted(),
	}
	if e.Number == "" { // of a person no more than tells him from another
		e.Number = p.GetBirthDate()
	}
	if e.Name == "" {
		e.Name = strconv.FormatInt(e.ID, 10)
	}
	return e
}

// logInFirst sends the browser to the login, and back here after it.
func (d *Doors) logInFirst(w http.ResponseWriter, r *http.Request, back string) {
	http.Redirect(w, r, address(pathLogin, map[string]string{"return": address(pathParty, map[string]string{"return": back})}), http.StatusSeeOther)
}

// listParties answers with a page of parties as JSON.
func (d *Doors) listParties(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.ParseInt(query(r, "page_size"), 10, 32)
	if err != nil && query(r, "page_size") != "" {
		problem.Write(w, r, problem.Invalid("page_size", "must be a number"))
		return
	}
	answer, err := d.parties(r, int32(size), query(r, "search"), query(r, "page_token"), "")
	if err != nil {
		event.From(r.Context()).Err = err
		problem.Write(w, r, problem.FromError(err))
		return
	}
	answer.ReturnTo = ""
	writeJSON(w, r, answer)
}

// chooseParty keeps for whom the browser's user acts: by the page's form, which sends the
// browser back to where it came from, or as JSON.
func (d *Doors) chooseParty(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxChoice)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "application/json":
		d.choosePartyJSON(w, r)
	case err == nil && kind == "application/x-www-form-urlencoded":
		d.choosePartyForm(w, r)
	default:
		problem.Write(w, r, problem.New(http.StatusUnsupportedMediaType, codes.InvalidArgument, problem.UnsupportedMediaType,
			"the body must be application/json or a form"))
	}
}

func (d *Doors) choosePartyJSON(w http.ResponseWriter, r *http.Request) {
	if !d.ours(r) {
		problem.Write(w, r, problem.New(http.StatusForbidden, codes.PermissionDenied, "CROSS_SITE", "another site sent the request"))
		return
	}
	body, err := io.ReadAll(r.Body)
	var party behalfv1.PartyReference
	if err != nil || protojson.Unmarshal(body, &party) != nil {
		problem.Write(w, r, problem.Invalid("body", `must be like {"partyId": 50076451}`))
		return
	}
	answer, err := d.keep(w, r, &party, "")
	if err != nil {
		event.From(r.Context()).Err = err
		problem.Write(w, r, problem.FromError(err))
		return
	}
	writeJSON(w, r, answer.GetParty())
}

func (d *Doors) choosePartyForm(w http.ResponseWriter, r *http.Request) {
	if !d.ours(r) {
		d.pages.fail(w, r, http.StatusForbidden, false)
		return
	}
	id, err := strconv.ParseInt(formValue(r, "party"), 10, 64)
	if err != nil {
		d.pages.fail(w, r, http.StatusBadRequest, false)
		return
	}
	party := &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: id}}
	answer, err := d.keep(w, r, party, formValue(r, "return"))
	switch {
	case err == nil:
		http.Redirect(w, r, answer.GetReturnTo(), http.StatusSeeOther) //nolint:gosec // the server has looked at it
	case problem.FromError(err).Reason == "PARTY_NOT_REPRESENTED":
		event.From(r.Context()).Err = err
		d.showParties(w, r, http.StatusForbidden, wordsOf(languageOf(r)).NotRepresented)
	case statusOf(err) == http.StatusForbidden:
		event.From(r.Context()).Err = err
		d.logInFirst(w, r, formValue(r, "return"))
	default:
		d.pages.fault(w, r, err)
	}
}

// keep keeps a choice. Altinn's cookie would go before it, so it is taken away.
func (d *Doors) keep(w http.ResponseWriter, r *http.Request, party *behalfv1.PartyReference, back string) (*behalfv1.ChooseSessionPartyResponse, error) {
	answer, err := d.sessions.ChooseSessionParty(r.Context(), &behalfv1.ChooseSessionPartyRequest{
		Session: cookie(r, d.cookie), Party: party, ReturnTo: back,
	})
	if err == nil && len(r.CookiesNamed(altinnParty)) > 0 {
		d.setCookie(w, altinnParty, "", -1)
	}
	return answer, err
}

// writeJSON answers as the native API does.
func writeJSON(w http.ResponseWriter, r *http.Request, m proto.Message) {
	text, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		event.From(r.Context()).Err = err
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Cookie")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text) //nolint:gosec // JSON that says so; the client went away, and there is nobody to tell
}

// formValue returns a field of a form that is there once and is text.
func formValue(r *http.Request, name string) string {
	if r.ParseForm() != nil || len(r.PostForm[name]) != 1 || !utf8.ValidString(r.PostForm[name][0]) {
		return ""
	}
	return r.PostForm[name][0]
}

// address returns a path with those parameters that are not empty.
func address(path string, parameters map[string]string) string {
	q := url.Values{}
	for name, value := range parameters {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
