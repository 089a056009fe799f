package behalf

import (
	"strconv"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// UserID names a person or other end user.
type UserID int64

// Me is whoever the client's credentials are.
const Me UserID = 0

// PartyID is Altinn's partyId.
type PartyID int64

// Object names an object of the relation graph.
type Object struct{ Type, ID string }

// Object returns a party as an object.
func (id PartyID) Object() Object { return Object{"party", strconv.FormatInt(int64(id), 10)} }

// Subject names an object of the relation graph that acts, or with a Relation all that have it,
// such as the members of a group. The zero Subject is whoever the client's credentials are.
type Subject struct{ Type, ID, Relation string }

// Subject returns a user as a subject; Me is the zero Subject.
func (id UserID) Subject() Subject {
	if id == Me {
		return Subject{}
	}
	return Subject{Type: "user", ID: strconv.FormatInt(int64(id), 10)}
}

// Question is whether Subject has Permission on Object.
type Question struct {
	Object     Object
	Permission string
	Subject    Subject
}

func (q Question) proto() *behalfv1.CheckQuestion {
	asked := &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: q.Object.Type, Id: q.Object.ID},
		Permission: q.Permission,
	}
	if q.Subject != (Subject{}) {
		asked.Subject = &behalfv1.SubjectReference{Type: q.Subject.Type, Id: q.Subject.ID, Relation: q.Subject.Relation}
	}
	return asked
}
