package party

import "strings"

// record is a party with what was computed of it, in as few bytes as keep it fast to read: a
// country has millions. It never changes once it is in a directory, so that readers keep it
// without the lock.
type record struct {
	id, main ID
	user     UserID
	texts    string            // one behind the other
	ends     [wordsText]uint16 // where each ends, but for the last
	kind     Kind
	login    bool
}

// The texts of a record.
const (
	uuidText = iota
	nameText
	orgNumberText
	nationalIDText
	unitTypeText
	deletedOnText
	birthDateText
	diedOnText
	keyText   // the name's collation key
	wordsText // the name's folded words, of any length
)

// maxText bounds the other texts, so that all have a place. No register has such long ones.
const maxText = 1 << 12

func newRecord(p Party, key, folded string) *record {
	r := &record{id: p.ID, main: p.MainUnit, user: p.UserID, kind: p.Kind, login: p.Login}
	all := [...]string{p.UUID, p.Name, p.OrgNumber, p.NationalID, p.UnitType, p.DeletedOn, p.BirthDate, p.DiedOn, key, folded}
	end := 0
	for i := range r.ends {
		all[i] = all[i][:min(len(all[i]), maxText)]
		end += len(all[i])
		r.ends[i] = uint16(end)
	}
	r.texts = strings.Join(all[:], "")
	return r
}

// text returns one of the texts.
func (r *record) text(i int) string {
	from, to := 0, len(r.texts)
	if i > 0 {
		from = int(r.ends[i-1])
	}
	if i < len(r.ends) {
		to = int(r.ends[i])
	}
	return r.texts[from:to]
}

// party returns the party.
func (r *record) party() Party {
	return Party{
		ID: r.id, UUID: r.text(uuidText), Kind: r.kind, Name: r.text(nameText), OrgNumber: r.text(orgNumberText),
		NationalID: r.text(nationalIDText), UnitType: r.text(unitTypeText), MainUnit: r.main, DeletedOn: r.text(deletedOnText),
		BirthDate: r.text(birthDateText), DiedOn: r.text(diedOnText), UserID: r.user, Login: r.login,
	}
}
