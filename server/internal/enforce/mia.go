package enforce

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/enforce/expression"
)

// stated lets in those of whom an expression of Mia-Platform's language holds.
type stated struct{ expression.Expression }

func (s stated) judge(_ context.Context, q *question) (judgement, error) {
	if q.who.Kind == caller.Nobody {
		return unauthenticated(), nil
	}
	return s.of(q), nil
}

// of says whether the expression holds of the request, whoever made it.
func (s stated) of(q *question) judgement {
	holds := s.Holds(expression.Facts{
		Groups: q.who.Groups, Permissions: q.who.Permissions, ClientType: q.request.ClientType, Backoffice: q.request.Backoffice,
	})
	if !holds {
		return denied("the route's expression does not hold of the caller")
	}
	return allowed()
}

// gate is what Mia's file says of one kind of traffic.
type gate struct {
	public bool // nobody has to be known; the expression has to hold all the same
	stated stated
}

// miaRule is what Mia's file says of a method. A gate that is nil is not there.
type miaRule struct{ front, back *gate }

// gate returns which one counts: the back office's requests have their own if there is one.
func (m miaRule) gate(q *question) *gate {
	if q.request.Backoffice && m.back != nil {
		return m.back
	}
	return m.front
}

// open says whether nobody has to be known.
func (m miaRule) open(q *question) bool {
	g := m.gate(q)
	return g != nil && g.public
}

func (m miaRule) judge(ctx context.Context, q *question) (judgement, error) {
	switch g := m.gate(q); {
	case g == nil:
		return judgement{reason: ReasonNoRoute, message: "the route is for the back office"}, nil
	case g.public:
		return g.stated.of(q), nil
	default:
		return g.stated.judge(ctx, q)
	}
}

// MiaAnswer is what Mia-Platform's gateways are told beside the verdict.
type MiaAnswer struct {
	Lenient        bool   // the gateway looks at mia-allowed, not at the status
	UserID         string // empty when nobody is known
	Groups         string // separated by commas
	UserProperties string // a JSON object, empty when nobody is known
}

// miaText is what the routes file says of Mia-Platform's gateways.
type miaText struct {
	Routes            string   `yaml:"routes"` // Mia's auth.json
	Strict            *bool    `yaml:"strict"`
	UserProperties    []string `yaml:"user_properties"`
	ManagerProperties []string `yaml:"manager_properties"`
}

// miaAnswers is what a table tells Mia-Platform's gateways.
type miaAnswers struct {
	lenient    bool
	properties []string
	managers   []string // properties that are told as an authentication manager has said them
}

func compileMia(t miaText) (miaAnswers, []error) {
	var faults []error
	for i, name := range t.UserProperties {
		if properties[name] == nil {
			faults = append(faults, fmt.Errorf("mia: there is no user property %q, but %s", name, strings.Join(slices.Sorted(maps.Keys(properties)), ", ")))
		}
		if slices.Contains(t.UserProperties[:i], name) {
			faults = append(faults, fmt.Errorf("mia: the user property %s is there twice", name))
		}
	}
	for i, name := range t.ManagerProperties {
		if name == "" || len(name) > 128 || properties[name] != nil || slices.Contains(t.ManagerProperties[:i], name) {
			faults = append(faults, fmt.Errorf("mia: manager_properties: %.128q is empty, there twice, or one of user_properties", name))
		}
	}
	return miaAnswers{lenient: t.Strict != nil && !*t.Strict, properties: t.UserProperties, managers: t.ManagerProperties}, faults
}

// properties are what can be told of a user, by the names that /userinfo has for them; nil
// for what is not known.
var properties = map[string]func(*question) any{
	"userId":          func(q *question) any { return known(toldID(q.who)) },
	"level":           func(q *question) any { return q.who.Level },
	"groups":          func(q *question) any { return append([]string{}, q.who.Groups...) },
	"permissions":     func(q *question) any { return append([]string{}, q.who.Permissions...) },
	"partyId":         func(q *question) any { return positive(q.who.PartyID) },
	"issuer":          func(q *question) any { return known(q.who.Issuer) },
	"providerUserId":  func(q *question) any { return known(q.who.IssuedTo) },
	"actingPartyId":   func(q *question) any { return positive(int64(q.party.ID)) },
	"actingPartyUuid": func(q *question) any { return known(q.party.UUID) },
	"actingPartyOrg":  func(q *question) any { return known(q.party.OrgNumber) },
}

func known(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func positive(n int64) any {
	if n <= 0 {
		return nil
	}
	return n
}

// refused is what is told of a request that stays out.
func (m miaAnswers) refused() MiaAnswer { return MiaAnswer{Lenient: m.lenient} }

// allowed is what is told of a request that is let in.
func (m miaAnswers) allowed(q *question) (MiaAnswer, error) {
	a := m.refused()
	if q.who.Kind == caller.Nobody {
		return a, nil
	}
	told := make(map[string]any, len(m.properties))
	for _, name := range m.properties {
		if v := properties[name](q); v != nil {
			told[name] = v
		}
	}
	for _, name := range m.managers {
		if v, said := q.who.Told[name]; said {
			told[name] = v
		}
	}
	text, err := json.Marshal(told)
	if err != nil {
		return MiaAnswer{}, fmt.Errorf("tell the user's properties: %w", err)
	}
	a.UserID, a.Groups, a.UserProperties = toldID(q.who), list(q.who.Groups), ascii(string(text))
	return a, nil
}

// ascii returns JSON with every character escaped that a header does not carry.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			b.WriteString(`\u` + strconv.FormatInt(int64(r)+0x10000, 16)[1:])
		}
	}
	return b.String()
}
