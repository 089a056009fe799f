package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Size of the world of TestOracle. SpiceDB's memory engine scans whole relations: it
// carries some thousand parties in reasonable time.
var (
	worldParties = flag.Int("parties", 2000, "parties of the generated world")
	worldRows    = flag.Int("rows", 2000, "rows of the oracle that are asked")
	worldSeed    = flag.Uint64("world-seed", 1, "seed of the generated world")
)

// oracleRow is what is true of a user and a party.
type oracleRow struct {
	User      int64    `json:"user"`
	Party     int64    `json:"party"`
	Represent bool     `json:"represent"`
	Roles     []string `json:"roles"`
}

// TestOracle generates a world, imports it, and asks every door about each row of an
// oracle that was computed without the server.
func TestOracle(t *testing.T) {
	dir := t.TempDir()
	run(t, "generate", "--parties", strconv.Itoa(*worldParties), "--seed", strconv.FormatUint(*worldSeed, 10),
		"--oracle-rows", strconv.Itoa(*worldRows), "--out", dir)
	i := start(t)
	i.run(t, "import", filepath.Join(dir, world.WorldFile))

	t.Run("rows", func(t *testing.T) { testRows(t, i, readLines[oracleRow](t, filepath.Join(dir, world.OracleFile))) })
	t.Run("lists", func(t *testing.T) { testLists(t, i, filepath.Join(dir, world.UsersFile)) })
}

func testRows(t *testing.T, i *instance, rows []oracleRow) {
	if len(rows) < *worldRows {
		t.Fatalf("the oracle has %d rows, want %d", len(rows), *worldRows)
	}
	misses := 0
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(4)
	for _, row := range rows {
		if !row.Represent {
			misses++
		}
		token := i.userToken(t, row.User, 0)
		group.Go(func() error { return i.askRow(t, ctx, row, token) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows agree on every door, %d of them misses", len(rows), misses)
	if misses*3 < len(rows) {
		t.Errorf("%d of %d rows are misses, want a third", misses, len(rows))
	}
}

// askRow asks four doors about one row.
func (i *instance) askRow(t *testing.T, ctx context.Context, row oracleRow, token string) error {
	admin := as(ctx, i.admin)
	party, user := strconv.FormatInt(row.Party, 10), strconv.FormatInt(row.User, 10)

	rest := i.call(t, "GET", "/authorization/api/v1/parties/"+party+"/validate?userid="+user, token, "")
	if got := string(rest.body); rest.status != 200 || got != strconv.FormatBool(row.Represent) {
		return fmt.Errorf("REST validate of user %s for party %s: %d %s, want %t", user, party, rest.status, got, row.Represent)
	}
	check, err := behalfv1.NewCheckServiceClient(i.conn).Check(admin, &behalfv1.CheckRequest{Question: &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: "party", Id: party},
		Permission: "represent",
		Subject:    &behalfv1.SubjectReference{Type: "user", Id: user},
	}})
	if err != nil {
		return fmt.Errorf("check of user %s for party %s: %w", user, party, err)
	}
	if check.GetAllowed() != row.Represent {
		return fmt.Errorf("check of user %s for party %s: want %t", user, party, row.Represent)
	}
	authzed, err := v1.NewPermissionsServiceClient(i.conn).CheckPermission(admin, &v1.CheckPermissionRequest{
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		Resource:    &v1.ObjectReference{ObjectType: "party", ObjectId: party},
		Permission:  "represent",
		Subject:     &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: user}},
	})
	if err != nil {
		return fmt.Errorf("CheckPermission of user %s for party %s: %w", user, party, err)
	}
	if has := authzed.GetPermissionship() == v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION; has != row.Represent {
		return fmt.Errorf("CheckPermission of user %s for party %s: want %t", user, party, row.Represent)
	}
	roles, err := behalfv1.NewRoleServiceClient(i.conn).ListRoles(admin, &behalfv1.ListRolesRequest{PartyId: row.Party, UserId: row.User})
	if err != nil {
		return fmt.Errorf("roles of user %s for party %s: %w", user, party, err)
	}
	var got []string
	for _, role := range roles.GetRoles() {
		got = append(got, role.GetCode())
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(row.Roles))
	if !slices.Equal(got, want) {
		return fmt.Errorf("roles of user %s for party %s: %q, want %q", user, party, got, want)
	}
	return nil
}

// countedUser is a user who may represent an exact number of parties.
type countedUser struct {
	User    int64   `json:"user"`
	Count   int     `json:"count"`
	Parties []int64 `json:"parties"`
}

// testLists asks for the parties of the users who have an exact number of them: all, once
// each, in one answer, in pages and on Altinn's path.
func testLists(t *testing.T, i *instance, file string) {
	var users []countedUser
	if err := json.Unmarshal(readFile(t, file), &users); err != nil {
		t.Fatal(err)
	}
	largest := 0
	for _, user := range users {
		largest = max(largest, user.Count)
		t.Run(fmt.Sprintf("%d parties", user.Count), func(t *testing.T) {
			want := slices.Sorted(slices.Values(user.Parties))
			if len(want) != user.Count {
				t.Fatalf("the world names %d parties of a user with %d", len(want), user.Count)
			}
			for name, got := range map[string][]int64{
				"unpaged":         i.listParties(t, user.User, 0),
				"in pages of 97":  i.listParties(t, user.User, 97),
				"on Altinn's way": i.listAltinn(t, user.User),
			} {
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d parties, want %d", name, len(got), len(want))
				}
			}
		})
	}
	if *worldParties >= 2000 && largest < 1000 {
		t.Errorf("the largest list has %d parties, want 1,000", largest)
	}
}

func (i *instance) listParties(t *testing.T, user int64, pageSize int32) (ids []int64) {
	t.Helper()
	client := behalfv1.NewPartyServiceClient(i.conn)
	for token := ""; ; {
		page, err := client.ListParties(as(t.Context(), i.admin), &behalfv1.ListPartiesRequest{UserId: user, PageSize: pageSize, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.GetParties() {
			ids = append(ids, p.GetPartyId())
		}
		if token = page.GetNextPageToken(); token == "" {
			return ids
		}
	}
}

// altinnParty is what these tests look at of a party on Altinn's path.
type altinnParty struct {
	PartyID int64         `json:"partyId"`
	Shown   bool          `json:"onlyHierarchyElementWithNoAccess"`
	Name    string        `json:"name"`
	Deleted bool          `json:"isDeleted"`
	Kind    int           `json:"partyTypeName"`
	Units   []altinnParty `json:"childParties"`
}

func (i *instance) listAltinn(t *testing.T, user int64) (ids []int64) {
	t.Helper()
	got := i.call(t, "GET", "/authorization/api/v1/parties?"+url.Values{"userid": {strconv.FormatInt(user, 10)}}.Encode(), i.userToken(t, user, 0), "")
	if got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var parties []altinnParty
	got.decode(t, &parties)
	for _, p := range parties {
		if !p.Shown {
			ids = append(ids, p.PartyID)
		}
		for _, unit := range p.Units {
			ids = append(ids, unit.PartyID)
		}
	}
	return ids
}

// readLines reads a file of JSON Lines.
func readLines[T any](t *testing.T, name string) (rows []T) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var row T
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows = append(rows, row)
	}
	return rows
}
