package watch

import (
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// Batch is what changed at one revision. One without changes says how far there are none.
type Batch struct {
	// Revision is the revision that has the changes. To go on after it, it is the next Query's From;
	// to read what it has, it begins a session.
	Revision string
	// Changes are the changes, each relationship once.
	Changes []Change
}

// Change is a relationship that is now there, or no longer.
type Change struct {
	// Gone is true when the relationship was taken away. One that expires is gone without a change.
	Gone bool
	// Object has Subject in Relation, such as party:50076451#dagl@user:20000490.
	Object   behalf.Object
	Relation string
	Subject  behalf.Subject
	// Expires is when the relationship ends by itself, the zero time for never.
	Expires time.Time
	// Caveat is the name of the condition that it holds under, empty for none.
	Caveat string
}

func changeOf(u *v1.RelationshipUpdate) Change {
	r := u.GetRelationship()
	subject := r.GetSubject()
	change := Change{
		// An operation that is not known yet leaves a relationship that cannot be relied on.
		Gone:     u.GetOperation() != v1.RelationshipUpdate_OPERATION_TOUCH && u.GetOperation() != v1.RelationshipUpdate_OPERATION_CREATE,
		Object:   behalf.Object{Type: r.GetResource().GetObjectType(), ID: r.GetResource().GetObjectId()},
		Relation: r.GetRelation(),
		Subject: behalf.Subject{
			Type: subject.GetObject().GetObjectType(), ID: subject.GetObject().GetObjectId(), Relation: subject.GetOptionalRelation(),
		},
		Caveat: r.GetOptionalCaveat().GetCaveatName(),
	}
	if expires := r.GetOptionalExpiresAt(); expires != nil {
		change.Expires = expires.AsTime()
	}
	return change
}
