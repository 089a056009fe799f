package party

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// A page token is the base64 form of
//
//	version   1 byte
//	query     8 bytes, the fingerprint of the query it continues
//	begun     8 bytes, the moment of the first page
//	flags     1 byte, 1 for a position that is last
//	id        8 bytes
//	key       the rest
//
// It holds no secret and gives no access: the list is computed anew for each page, and
// the token only says which part of it to skip.
const (
	tokenVersion = 1
	tokenHead    = 1 + len(fingerprint{}) + 8 + 1 + 8
	tokenLast    = 1
)

// cursor is where a page begins.
type cursor struct {
	begun moment // when the first page was made; positions are those of that moment
	after position
}

// fingerprint tells queries apart.
type fingerprint [8]byte

// newFingerprint returns the fingerprint of a query's fields.
func newFingerprint(fields ...string) fingerprint {
	h := sha256.New()
	for _, field := range fields {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	return fingerprint(h.Sum(nil)[:8])
}

// pageToken returns the token of the page that begins at a cursor.
func pageToken(query fingerprint, c cursor) string {
	b := make([]byte, 0, tokenHead+len(c.after.key))
	b = append(b, tokenVersion)
	b = append(b, query[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.begun))
	flags := byte(0)
	if c.after.last {
		flags = tokenLast
	}
	b = append(b, flags)
	b = binary.BigEndian.AppendUint64(b, uint64(c.after.id))
	b = append(b, c.after.key...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parsePageToken returns the cursor that a token of this query stands for.
func parsePageToken(query fingerprint, token string) (cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return cursor{}, badPageToken("is not a page token").Because(err)
	}
	if len(b) < tokenHead || b[0] != tokenVersion {
		return cursor{}, badPageToken("is not a page token")
	}
	if fingerprint(b[1:9]) != query {
		return cursor{}, badPageToken("belongs to another query: all fields but page_size must be as they were")
	}
	begun := moment(binary.BigEndian.Uint64(b[9:17]))
	flags := b[17]
	id := ID(binary.BigEndian.Uint64(b[18:tokenHead]))
	if begun < 0 || flags > tokenLast || id <= 0 {
		return cursor{}, badPageToken("is not a page token")
	}
	return cursor{begun: begun, after: position{last: flags == tokenLast, id: id, key: string(b[tokenHead:])}}, nil
}

func badPageToken(message string) *fault.Error {
	e := fault.Field("page_token", "%s", message)
	e.Reason = fault.ReasonInvalidPageToken
	return e
}
