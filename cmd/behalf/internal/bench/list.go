package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"strconv"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// everyParty stands for the party where a question is about a list.
const everyParty = "*"

// ErrNoRoster is the cause when no user of a world has as many parties as are asked for.
var ErrNoRoster = errors.New("no user of the world has so many parties")

// Roster is the parties that a user of a world may represent.
type Roster struct {
	User  string
	Count int

	seed maphash.Seed
	all  pile
}

// pile is parties in no order. Lists are compared as piles while the load runs, because
// to sort them would take as long as some servers need for the list, on the same machine.
type pile struct {
	count int
	sum   uint64 // of the parties' hashes
}

// ReadRoster returns that of the user of a world who may represent so many parties.
func ReadRoster(dir string, count int) (*Roster, error) {
	text, err := os.ReadFile(filepath.Join(dir, world.UsersFile))
	if err != nil {
		return nil, err
	}
	var users []world.User
	if err := json.Unmarshal(text, &users); err != nil {
		return nil, fmt.Errorf("read %s: %w", world.UsersFile, err)
	}
	var counts []int
	for _, u := range users {
		if u.Count != count || len(u.Parties) != count {
			counts = append(counts, u.Count)
			continue
		}
		r := &Roster{User: strconv.FormatInt(u.UserID, 10), Count: count, seed: maphash.MakeSeed()}
		for _, party := range u.Parties {
			r.put(&r.all, strconv.FormatInt(party, 10))
		}
		return r, nil
	}
	return nil, fmt.Errorf("%w: there are users with %v, not with %d", ErrNoRoster, counts, count)
}

func (r *Roster) put(p *pile, party string) {
	p.count++
	p.sum += maphash.String(r.seed, party)
}

// Questions is the one question whether the list is right.
func (r *Roster) Questions() *Questions {
	return &Questions{Permission: Represent, allowed: []Question{{User: r.User, Party: everyParty, Allowed: true}}}
}

// Lister asks for all parties that a user may represent.
type Lister func(ctx context.Context, user string, add func(party string)) error

// Listing asks for lists, and compares each with the roster.
func (r *Roster) Listing(l Lister) Asker { return listing{r, l} }

type listing struct {
	roster *Roster
	list   Lister
}

func (l listing) Ask(ctx context.Context, _ int, q Question) (bool, error) {
	var got pile
	err := l.list(ctx, q.User, func(party string) { l.roster.put(&got, party) })
	return got == l.roster.all, err
}

// ListParties lists by behalf.v1, in the order of ids and in one answer.
func ListParties(conn grpc.ClientConnInterface) Lister {
	client := behalfv1.NewPartyServiceClient(conn)
	return func(ctx context.Context, user string, add func(party string)) error {
		id, err := strconv.ParseInt(user, 10, 64)
		if err != nil {
			return fmt.Errorf("user %q: %w", user, err)
		}
		answer, err := client.ListParties(ctx, &behalfv1.ListPartiesRequest{UserId: id, Order: behalfv1.PartyOrder_PARTY_ORDER_ID})
		if err != nil {
			return err
		}
		for _, p := range answer.GetParties() {
			add(strconv.FormatInt(p.GetPartyId(), 10))
		}
		return nil
	}
}

// LookupResources lists by authzed.api.v1, as the server sends it.
func LookupResources(conn grpc.ClientConnInterface) Lister {
	client := v1.NewPermissionsServiceClient(conn)
	return func(ctx context.Context, user string, add func(party string)) error {
		stream, err := client.LookupResources(ctx, lookupRequest(user))
		if err != nil {
			return err
		}
		for {
			one, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if p := one.GetPermissionship(); p != v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION {
				return fmt.Errorf("party %s is listed with %s", one.GetResourceObjectId(), p)
			}
			add(one.GetResourceObjectId())
		}
	}
}

// ProbeLookup returns the first message of a list by authzed.api.v1 as it came over the wire.
func ProbeLookup(ctx context.Context, conn grpc.ClientConnInterface, user string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the rest is not wanted
	stream, err := v1.NewPermissionsServiceClient(conn).LookupResources(ctx, lookupRequest(user))
	if err != nil {
		return nil, err
	}
	first, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	return proto.Marshal(first)
}

func lookupRequest(user string) *v1.LookupResourcesRequest {
	return &v1.LookupResourcesRequest{
		Consistency:        &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		ResourceObjectType: "party",
		Permission:         Represent,
		Subject:            &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: user}},
	}
}
