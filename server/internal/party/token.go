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
//	flags     1 byte, 1 for a position that is last
//	id        8 bytes
//	key       the rest
//
// It holds no secret and gives no access: the list is computed anew for each page, and
// the token only says which part of it to skip.
const (
	tokenVersion = 1
	tokenHead    = 1 + len(fingerprint{}) + 1 + 8
	tokenLast    = 1
)

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

// pageToken returns the token that goes on after a position.
func pageToken(query fingerprint, after position) string {
	b := make([]byte, 0, tokenHead+len(after.key))
	b = append(b, tokenVersion)
	b = append(b, query[:]...)
	flags := byte(0)
	if after.last {
		flags = tokenLast
	}
	b = append(b, flags)
	b = binary.BigEndian.AppendUint64(b, uint64(after.id)) //nolint:gosec // ids are positive
	b = append(b, after.key...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parsePageToken returns the position that a token of this query goes on after.
func parsePageToken(query fingerprint, token string) (position, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return position{}, badPageToken("is not a page token").Because(err)
	}
	if len(b) < tokenHead || b[0] != tokenVersion || b[9] > tokenLast {
		return position{}, badPageToken("is not a page token")
	}
	if fingerprint(b[1:9]) != query {
		return position{}, badPageToken("belongs to another query: all fields but page_size must be as they were")
	}
	id := ID(binary.BigEndian.Uint64(b[10:tokenHead])) //nolint:gosec // checked in the next line
	if id <= 0 {
		return position{}, badPageToken("is not a page token")
	}
	return position{last: b[9] == tokenLast, id: id, key: string(b[tokenHead:])}, nil
}

func badPageToken(message string) *fault.Error {
	e := fault.Field("page_token", "%s", message)
	e.Reason = fault.ReasonInvalidPageToken
	return e
}
