package party

// Find returns the party that a reference names. The zero reference names nobody.
func (d *Directory) Find(ref Reference) (Party, bool) {
	switch {
	case ref.ID != 0:
		return d.Get(ref.ID)
	case ref.UUID != "":
		return d.ByUUID(ref.UUID)
	case ref.OrgNumber != "":
		return d.ByOrgNumber(ref.OrgNumber)
	case ref.NationalID != "":
		return d.ByNationalID(ref.NationalID)
	}
	return Party{}, false
}
