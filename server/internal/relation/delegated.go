package relation

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// TypeClientDelegation is the definition of what a provider passes on of a client's.
const TypeClientDelegation = "client_delegation"

// taskPart begins the last part of the id of a right to one task.
const taskPart = "task:"

// instanceURN begins an instance's id in its long form.
const instanceURN = "urn:altinn:instance-id:"

var (
	appInstance = regexp.MustCompile(`^(?:[0-9]+/)?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$`)
	appByOwner  = regexp.MustCompile(`^([a-z0-9-]+)/([a-z0-9-]+)$`)
)

// InstanceID returns the one spelling of an instance's id: that of an app's instance is its
// UUID in lower case, without the party that it belongs to and that a right names anyway.
func InstanceID(text string) string {
	if m := appInstance.FindStringSubmatch(strings.TrimPrefix(text, instanceURN)); m != nil {
		return strings.ToLower(m[1])
	}
	return text
}

// ResourceID returns the one spelling of a resource's id: org/app is app_org_app.
func ResourceID(text string) string {
	text = strings.TrimPrefix(text, "urn:altinn:resource:")
	if m := appByOwner.FindStringSubmatch(text); m != nil {
		return "app_" + m[1] + "_" + m[2]
	}
	return text
}

// Right returns the object of a single right: of the party, to take the action with the
// resource; with one instance of it, in one task (or ended by one end event, which no task
// has the name of), or in one task of one instance. It fails when a part is empty or all are
// too long.
func Right(partyID int64, resource, action, instance, task string) (Object, error) {
	parts := []string{strconv.FormatInt(partyID, 10), ResourceID(resource), action}
	if strings.HasPrefix(instance, taskPart) {
		return Object{}, fmt.Errorf("an instance's id does not begin with %s", taskPart)
	}
	if instance != "" {
		parts = append(parts, InstanceID(instance))
	}
	if task != "" {
		parts = append(parts, taskPart+task)
	}
	id, err := JoinID(parts...)
	if err != nil {
		return Object{}, err
	}
	return Object{Type: TypeRight, ID: id}, nil
}

// RightParts are what the id of a right says.
type RightParts struct {
	Party                            int64
	Resource, Action, Instance, Task string
}

// ParseRight returns what the id of a right says. It is not ok for ids that Right does not
// make, which people may have written through the relations API.
func ParseRight(o Object) (r RightParts, ok bool) {
	parts, err := SplitID(o.ID)
	if err != nil || o.Type != TypeRight || len(parts) < 3 || len(parts) > 5 {
		return RightParts{}, false
	}
	if r.Party, ok = (Object{Type: TypeParty, ID: parts[0]}).Number(); !ok {
		return RightParts{}, false
	}
	r.Resource, r.Action = parts[1], parts[2]
	rest := parts[3:]
	if len(rest) > 0 && !strings.HasPrefix(rest[0], taskPart) {
		r.Instance, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		task, is := strings.CutPrefix(rest[0], taskPart)
		if !is || task == "" || len(rest) > 1 {
			return RightParts{}, false
		}
		r.Task = task
	}
	return r, true
}

// ClientDelegation returns the object of what a provider passes on of a client's.
func ClientDelegation(client, provider int64) Object {
	return Object{Type: TypeClientDelegation, ID: strconv.FormatInt(client, 10) + "/" + strconv.FormatInt(provider, 10)}
}

// SystemUser returns the subject of a system user.
func SystemUser(uuid string) Subject {
	return Subject{Object: Object{Type: TypeSystemUser, ID: strings.ToLower(uuid)}}
}
