package evaluation

import (
	"regexp"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

var (
	plainID        = regexp.MustCompile(`^[a-zA-Z0-9/_|\-=+]+$`)
	definitionName = regexp.MustCompile(`^([a-z][a-z0-9_]{1,61}[a-z0-9]/)*[a-z][a-z0-9_]{1,62}[a-z0-9]$`)
	relationName   = regexp.MustCompile(`^[a-z][a-z0-9_]{1,62}[a-z0-9]$`)
)

// maxID is the longest id that the graph takes.
const maxID = 1024

// plain says whether the graph can have an id as it is.
func plain(id string) bool { return len(id) <= maxID && plainID.MatchString(id) }

// objectID returns the id in the graph of what a question calls id: itself, or if the graph
// cannot have it, such as an e-mail address, as relation.JoinID escapes it. It is "" for
// what is too long.
func objectID(id string) string {
	if plain(id) {
		return id
	}
	escaped, err := relation.JoinID(id)
	if err != nil {
		return ""
	}
	return escaped
}

// shownID returns what a question calls an object of the graph: objectID of it is id.
func shownID(id string) string {
	parts, err := relation.SplitID(id)
	if err != nil || len(parts) != 1 || plain(parts[0]) {
		return id
	}
	return parts[0]
}
