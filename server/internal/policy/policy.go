package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Version names a text and how it is read. The zero Version is none.
type Version struct {
	Hash  string // the SHA-256 of the text, in lower-case hexadecimals
	AnyOf bool   // several AnyOf of one category are joined by OR, as Altinn's engine does
}

// anyOfSegment marks a version that is read as Altinn's engine reads it.
const anyOfSegment = "altinn-anyof"

// ETag returns the version as one text.
func (v Version) ETag() string {
	if v.AnyOf {
		return v.Hash + "/" + anyOfSegment
	}
	return v.Hash
}

// object returns the object of the graph that stands for the version: its id is the ETag.
func (v Version) object() relation.Object {
	return relation.Object{Type: relation.TypePolicyText, ID: v.ETag()}
}

// ParseETag returns the version that a text names.
func ParseETag(etag string) (Version, bool) {
	hash, mark, marked := strings.Cut(etag, "/")
	v := Version{Hash: hash, AnyOf: marked}
	raw, err := hex.DecodeString(hash)
	return v, err == nil && len(raw) == sha256.Size && hash == strings.ToLower(hash) && (!marked || mark == anyOfSegment)
}

// hashOf returns the name of a text.
func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Policy is the policy that decides about something at a revision. What it points to is
// shared and never changes.
type Policy struct {
	Ref Ref
	Version
	// Compiled decides. A text that cannot be read is compiled to a policy that is
	// Indeterminate about everything.
	Compiled *xacml.Policy
	// Invalid says why the text cannot be read, nil when it can.
	Invalid error
}

// ChangeKind is what was done to a policy.
type ChangeKind string

// What can be done to a policy.
const (
	Put      ChangeKind = "put"
	Rollback ChangeKind = "rollback"
	Delete   ChangeKind = "delete"
)

// Change is an entry of a policy's history.
type Change struct {
	Number  int64 // counts the changes of one policy from 1
	Kind    ChangeKind
	Version Version // the zero Version when the policy was deleted
	Made    time.Time
	By      string
}

// Entry is a policy in a list.
type Entry struct {
	Ref     Ref
	Version Version
	Size    int64     // of the text, in bytes
	Made    time.Time // when it became current, zero if that is not known
	By      string    // who made it so
}
