package interceptor

import (
	"math/rand/v2"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestPlainMessagesAreValid holds the look at a message to the validator: what passes the one
// passes the other, whatever it is made of, and what clients send every day passes both.
func TestPlainMessagesAreValid(t *testing.T) {
	validator, err := protovalidate.New()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	passed, refused := map[string]int{}, map[string]int{}
	for range 20_000 {
		for name, m := range map[string]proto.Message{
			"check": &behalfv1.CheckRequest{Question: someQuestion(random), AtLeastAsFresh: someText(random, 1024), AtRevision: someText(random, 1024)},
			"bulk": &behalfv1.BulkCheckRequest{
				Questions: several(random, 1000, func() *behalfv1.CheckQuestion { return someQuestion(random) }), AtLeastAsFresh: someText(random, 1024),
			},
			"authorize": &behalfv1.AuthorizeRequest{
				Method: someText(random, 64), Scheme: someText(random, 16), Host: []byte(someText(random, 1024)), Path: []byte(someText(random, 65536)),
				Client: someText(random, 512), ClientType: someText(random, 256),
				Headers: several(random, 1024, func() *behalfv1.RequestHeader {
					return &behalfv1.RequestHeader{Name: someText(random, 256), Value: []byte(someText(random, 65536))}
				}),
			},
			"decide": &behalfv1.DecideXACMLRequest{
				Body: []byte(someText(random, 300)), ContentType: someText(random, 256), Door: behalfv1.DecisionDoor(random.IntN(8)), AtLeastAsFresh: someText(random, 1024),
			},
		} {
			if !plain(m) {
				refused[name]++
				continue
			}
			passed[name]++
			if err := validator.Validate(m); err != nil {
				t.Fatalf("%s passes by a look: %v\n%v", name, err, m)
			}
			if wrong := withNUL(m.ProtoReflect(), ""); wrong != nil {
				t.Fatalf("%s passes by a look: %v\n%v", name, wrong, m)
			}
		}
	}
	for _, name := range []string{"check", "bulk", "authorize", "decide"} {
		if passed[name] < 100 || refused[name] < 100 {
			t.Errorf("of %s %d pass by a look and %d do not", name, passed[name], refused[name])
		}
	}
	if plain(&behalfv1.ListPartiesRequest{}) || plain(nil) || plain((*behalfv1.CheckRequest)(nil)) {
		t.Error("what is not known passes")
	}
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// someText is most often an ordinary one, and now and then as long as it may be or longer.
func someText(random *rand.Rand, most int) string {
	switch random.IntN(40) {
	case 0:
		return strings.Repeat("a", most)
	case 1:
		return strings.Repeat("a", most+1)
	case 2:
		return strings.Repeat("å", most/2+1)
	case 3:
		return "a\x00b"
	case 4:
		return ""
	}
	return pick(random, "GET", "application/json", "x", "https")
}

func someQuestion(random *rand.Rand) *behalfv1.CheckQuestion {
	if random.IntN(50) == 0 {
		return nil
	}
	name := func() string {
		if random.IntN(20) > 0 {
			return pick(random, "party", "user", "has_dagl", "represent", "a1b", strings.Repeat("a", 64))
		}
		return pick(random, "", "a", "ab", "_ab", "ab_", "1ab", "Abc", "a-b", "abå", "a\x00b", "org/document", "party ", strings.Repeat("a", 65))
	}
	id := func() string {
		if random.IntN(20) > 0 {
			return pick(random, "50076451", "a/b", "A_|-=+9", strings.Repeat("a", 1024))
		}
		return pick(random, "", "*", "a b", "å", "a\x00", "a#b", "a:b", strings.Repeat("a", 1025))
	}
	q := &behalfv1.CheckQuestion{Object: &behalfv1.ObjectReference{Type: name(), Id: id()}, Permission: name()}
	if random.IntN(30) == 0 {
		q.Object = nil
	}
	if random.IntN(2) == 0 {
		q.Subject = &behalfv1.SubjectReference{Type: name(), Id: id()}
		if random.IntN(3) == 0 {
			q.Subject.Relation = name()
		}
	}
	return q
}

// several makes a few, now and then none, and seldom as many as there may be or one more.
func several[T any](random *rand.Rand, most int, one func() T) []T {
	n := random.IntN(4)
	if random.IntN(2000) == 0 {
		n = most + random.IntN(2)
	}
	all := make([]T, n)
	for i := range all {
		all[i] = one()
	}
	return all
}
