package register

import (
	"encoding/binary"
	"encoding/hex"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// The bytes of a block of packed entries.
const (
	leastBlock = 1 << 9
	mostBlock  = 1 << 20
)

// packed holds entries in few bytes and without pointers. An import has millions of them: as
// values they would take four times as much, which the garbage collector would look through
// again and again.
type packed struct{ blocks [][]byte }

// slot is where a packed entry lies.
type slot struct{ block, offset uint32 }

// add appends an entry.
func (p *packed) add(entry []byte) slot {
	last, next := len(p.blocks)-1, leastBlock
	if last >= 0 {
		next = min(2*cap(p.blocks[last]), mostBlock)
	}
	if last < 0 || cap(p.blocks[last])-len(p.blocks[last]) < len(entry) {
		p.blocks = append(p.blocks, make([]byte, 0, max(next, len(entry))))
		last++
	}
	at := slot{uint32(last), uint32(len(p.blocks[last]))}
	p.blocks[last] = append(p.blocks[last], entry...)
	return at
}

// at returns an entry, to be read.
func (p *packed) at(s slot) *unpacker { return &unpacker{p.blocks[s.block][s.offset:]} }

// each yields what is left to read, before each entry. Whoever gets it reads one entry.
func (p *packed) each() iter.Seq[*unpacker] {
	return func(yield func(*unpacker) bool) {
		for _, block := range p.blocks {
			for u := (&unpacker{block}); len(u.rest) > 0; {
				if !yield(u) {
					return
				}
			}
		}
	}
}

// packer packs the parts of an entry, which an unpacker reads in the same order.
type packer struct{ entry []byte }

func (p *packer) number(n int64) { p.entry = binary.AppendVarint(p.entry, n) }

func (p *packer) text(s string) {
	p.number(int64(len(s)))
	p.entry = append(p.entry, s...)
}

// uuid packs a UUID in canonical form, or none.
func (p *packer) uuid(s string) {
	raw, ok := uuidBytes(s)
	if !ok {
		p.number(0)
		return
	}
	p.number(1)
	p.entry = append(p.entry, raw[:]...)
}

// time packs a time to the microsecond, or none.
func (p *packer) time(t time.Time) {
	if t.IsZero() {
		p.number(0)
		return
	}
	p.number(1)
	p.number(t.UnixMicro())
}

func (p *packer) reference(r Reference) {
	p.number(int64(slices.Index(schemes[:], r.Scheme)))
	p.text(r.Value)
}

// record packs a record that has been checked. Its kind comes first; see draft.kind.
func (p *packer) record(r *PartyRecord) {
	p.number(int64(r.Kind))
	p.number(int64(r.ID))
	p.number(int64(r.UserID))
	login := int64(0)
	if r.Login {
		login = 1
	}
	p.number(login)
	p.uuid(r.UUID)
	for _, text := range r.texts() {
		p.text(*text)
	}
}

// texts are the fields of a record that are texts, but for the UUID.
func (r *PartyRecord) texts() [9]*string {
	return [...]*string{
		&r.Name, &r.OrgNumber, &r.NationalID, &r.UnitType, &r.DeletedOn, &r.MainUnit, &r.BirthDate, &r.DiedOn, &r.Key,
	}
}

// schemes are numbered by their place.
var schemes = [...]Scheme{"", ByID, ByUUID, ByOrgNumber, ByNationalID, ByKey}

// unpacker reads what a packer has packed.
type unpacker struct{ rest []byte }

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.rest)
	u.rest = u.rest[size:]
	return n
}

func (u *unpacker) bytes(n int64) []byte {
	b := u.rest[:n]
	u.rest = u.rest[n:]
	return b
}

func (u *unpacker) text() string { return string(u.bytes(u.number())) }

func (u *unpacker) uuid() string {
	if u.number() == 0 {
		return ""
	}
	return uuidText([16]byte(u.bytes(16)))
}

func (u *unpacker) time() time.Time {
	if u.number() == 0 {
		return time.Time{}
	}
	return time.UnixMicro(u.number()).UTC()
}

func (u *unpacker) reference() Reference {
	scheme := schemes[u.number()]
	return Reference{Scheme: scheme, Value: u.text()}
}

func (u *unpacker) record() PartyRecord {
	r := PartyRecord{Kind: party.Kind(u.number()), ID: party.ID(u.number()), UserID: party.UserID(u.number()), Login: u.number() != 0, UUID: u.uuid()}
	for _, text := range r.texts() {
		*text = u.text()
	}
	return r
}

// never is the end, in microseconds, of what does not end.
const never = math.MaxInt64

// microseconds is a time as a number, never for none.
func microseconds(t time.Time) int64 {
	if t.IsZero() {
		return never
	}
	return t.UnixMicro()
}

// instant is the time of a number of microseconds, none for never.
func instant(n int64) time.Time {
	if n == never {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// uuidBytes returns the bytes of a UUID in canonical form.
func uuidBytes(text string) (b [16]byte, ok bool) {
	if len(text) != 36 {
		return b, false
	}
	_, err := hex.Decode(b[:], []byte(text[:8]+text[9:13]+text[14:18]+text[19:23]+text[24:]))
	return b, err == nil
}

// uuidText returns the canonical form of a UUID.
func uuidText(b [16]byte) string {
	text := make([]byte, 0, 36)
	for i, part := range [...][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}
