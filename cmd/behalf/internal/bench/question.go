package bench

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
	"github.com/behalf-authz/behalf/schema/roles"
)

// Represent is the permission to act for a party in whatever role.
const Represent = "represent"

// ErrUnknownPermission is the cause when the oracle says nothing about a permission.
var ErrUnknownPermission = errors.New("not a permission that the oracle knows")

// Question is whether a user has the permission for a party, and what the oracle says.
type Question struct {
	User, Party string
	Allowed     bool
}

// Questions is an endless row of questions, the same for the same seed.
type Questions struct {
	Permission string
	Seed       uint64
	Denials    float64 // their share, from 0 to 1

	allowed, denied []Question
}

// ReadQuestions reads the oracle of a world about a permission: represent, or has_ and the
// relation of a role, such as has_regn.
func ReadQuestions(dir, permission string) (*Questions, error) {
	expect, err := expectation(permission)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, world.OracleFile))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	q := &Questions{Permission: permission}
	for d := json.NewDecoder(bufio.NewReaderSize(f, 1<<16)); ; {
		var row world.Row
		if err := d.Decode(&row); err == io.EOF {
			return q, nil
		} else if err != nil {
			return nil, fmt.Errorf("read question %d of %s: %w", q.Len()+1, f.Name(), err)
		}
		q.add(Question{strconv.FormatInt(row.User, 10), strconv.FormatInt(row.Party, 10), expect(row)})
	}
}

// expectation returns what the oracle says of a permission.
func expectation(permission string) (func(world.Row) bool, error) {
	if permission == Represent {
		return func(r world.Row) bool { return r.Represent }, nil
	}
	catalogue, err := roles.Load()
	if err != nil {
		return nil, fmt.Errorf("load the role catalogue: %w", err)
	}
	relation, ok := strings.CutPrefix(permission, "has_")
	role, known := catalogue.ByRelation(relation)
	if !ok || !known {
		return nil, fmt.Errorf("%q is %w: %s, or has_ and the relation of a role, such as has_regn", permission, ErrUnknownPermission, Represent)
	}
	return func(r world.Row) bool { return slices.Contains(r.Roles, role.Code) }, nil
}

func (q *Questions) add(one Question) {
	if one.Allowed {
		q.allowed = append(q.allowed, one)
	} else {
		q.denied = append(q.denied, one)
	}
}

// Len is the number of different questions.
func (q *Questions) Len() int { return len(q.allowed) + len(q.denied) }

// Validate says whether there are questions of both kinds that the share of denials needs.
func (q *Questions) Validate() error {
	if q.Denials > 0 && len(q.denied) == 0 {
		return fmt.Errorf("a share of %v denials: the oracle denies none of its %d questions about %s", q.Denials, q.Len(), q.Permission)
	}
	if q.Denials < 1 && len(q.allowed) == 0 {
		return fmt.Errorf("a share of %v denials: the oracle denies all of its %d questions about %s", q.Denials, q.Len(), q.Permission)
	}
	return nil
}

// At returns question n of the row, whichever caller asks it. Pairs are drawn with equal
// chance from those with the answer that was drawn.
func (q *Questions) At(n uint64) Question {
	kind := mix(q.Seed ^ mix(n))
	from := q.allowed
	if float64(kind>>11)/(1<<53) < q.Denials {
		from = q.denied
	}
	return from[mix(kind+1)%uint64(len(from))]
}

// mix is the finalizer of SplitMix64: neighbouring numbers go far apart.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// World is the register that is asked about.
type World struct {
	Parties     int    `json:"parties"`
	Assignments int    `json:"assignments"`
	Questions   int    `json:"questions"` // different ones
	SHA256      string `json:"sha256"`    // of the register's file
}

// ReadWorld counts a world.
func ReadWorld(dir string) (World, error) {
	f, err := os.Open(filepath.Join(dir, world.WorldFile))
	if err != nil {
		return World{}, err
	}
	defer func() { _ = f.Close() }()
	w, sum := World{}, sha256.New()
	lines := bufio.NewScanner(io.TeeReader(f, sum))
	lines.Buffer(make([]byte, 1<<16), math.MaxInt32)
	for lines.Scan() {
		switch {
		case bytes.HasPrefix(lines.Bytes(), []byte(`{"kind":"party"`)):
			w.Parties++
		case bytes.HasPrefix(lines.Bytes(), []byte(`{"kind":"assignment"`)):
			w.Assignments++
		}
	}
	w.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return w, lines.Err()
}
