package registry

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// Reference names a party as files and calls do: party:<partyId>, uuid:<UUID>,
// org:<organisation number> or nin:<national identity number>.
type Reference string

// ReferenceTo returns the reference to a party by its id.
func ReferenceTo(id party.ID) Reference {
	return Reference("party:" + strconv.FormatInt(int64(id), 10))
}

// identifiers returns what a reference names a party by. It is not ok when it can name none.
func (r Reference) identifiers() (by records.Identifiers, ok bool) {
	scheme, value, _ := strings.Cut(string(r), ":")
	switch scheme {
	case "party":
		id, err := strconv.ParseInt(value, 10, 32)
		by.ID, ok = party.ID(id), err == nil && id > 0
	case "uuid":
		by.UUID = strings.ToLower(value)
		ok = uuidText.MatchString(by.UUID)
	case "org":
		by.OrgNumber, ok = value, value != ""
	case "nin":
		by.NationalID, ok = value, value != ""
	}
	return by, ok
}

// resolve returns the party that a reference of a field names. It is read from the records:
// parties that were written a moment ago are among them.
func resolve(ctx context.Context, tx *records.Tx, field string, name Reference) (party.ID, error) {
	by, ok := name.identifiers()
	if !ok {
		return 0, fault.Field(field, "must be party:<partyId>, uuid:<UUID>, org:<nine digits> or nin:<eleven digits>")
	}
	found, err := tx.Named(ctx, by)
	if err != nil {
		return 0, err
	}
	if len(found) == 0 {
		e := fault.Field(field, "no party is known as %s", name)
		e.Reason = fault.ReasonPartyNotFound
		return 0, e
	}
	return found[0].ID, nil
}

// resolveAll resolves the references of a field that is a list; those by id are looked up
// at once. place is how one of them is named in a fault.
func resolveAll(ctx context.Context, tx *records.Tx, place string, names []Reference) ([]party.ID, error) {
	ids := make([]party.ID, len(names))
	var byID []party.ID
	for i, name := range names {
		if by, ok := name.identifiers(); ok && by.ID != 0 {
			ids[i] = by.ID
			byID = append(byID, by.ID)
		}
	}
	known, err := tx.PartiesByID(ctx, byID)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if _, ok := known[ids[i]]; ok && ids[i] != 0 {
			continue
		}
		if ids[i], err = resolve(ctx, tx, fmt.Sprintf(place, i), name); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
