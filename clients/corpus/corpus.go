package corpus

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed corpus.json policy.xml
var files embed.FS

// Corpus is the content of corpus.json.
type Corpus struct {
	// Users are the end users, by name.
	Users map[string]User
	// Parties and Assignments are messages of the register's contract, as JSON.
	Parties, Assignments []json.RawMessage
	// Policies are the policies of apps.
	Policies []Policy
	// Asked are questions to a client.
	Asked []Asked
	// Enforced are requests to a service.
	Enforced []Enforced
	// Met are decisions.
	Met []Met
}

// User is an end user.
type User struct {
	UserID  int64 `json:"userId,string"`
	PartyID int64 `json:"partyId,string"`
}

// Policy is the policy of an app.
type Policy struct {
	Org, App, File string
}

// Text returns the policy's XACML.
func (p Policy) Text() ([]byte, error) { return files.ReadFile(p.File) }

// Asked is a call with what it is called with, and Want, what is compared of its answer: an object
// with code and reason for an error.
type Asked struct {
	Name, Call string
	// As says who asks: admin, a user at a level such as kari@3, or credentials; empty for admin.
	As                                                   string
	User, Party, Role, Package, Search, Action, Resource string
	PageSize                                             int
	PartyRef                                             map[string]string
	Question                                             Question
	Questions                                            []Question
	App                                                  [2]string // org and app
	Actions                                              []string
	Want                                                 json.RawMessage
}

// Question is whether Subject has Permission on Object.
type Question struct {
	Object     Reference
	Permission string
	Subject    Reference
}

// Reference names an object of the relation graph.
type Reference struct{ Type, ID string }

// Enforced is a request to GET Path, /<party>/<action>, of a service behind a guard of some kind.
type Enforced struct {
	Name, Guard, Path string
	// Authorization are the headers of that name, in which {kari@3} stands for credentials.
	Authorization []string
	Want          struct {
		Status            int
		Reason, Challenge string
		RequiredLevel     int
	}
}

// Met is a decision on a request of a user at level 2, or of a service owner, and the reason of the
// refusal that it leads to, empty for none. Obligations are their assignments, as category=value.
type Met struct {
	Name, Org string
	Decision  struct {
		Effect      string
		Obligations [][]string
	}
	Want  string
	Level int
}

// Read returns the corpus.
func Read() (*Corpus, error) {
	text, err := files.ReadFile("corpus.json")
	if err != nil {
		return nil, err
	}
	c := new(Corpus)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("read the corpus: %w", err)
	}
	return c, nil
}
