package altinnworld

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Source is the source of what a world says, unless it is given another.
const Source = "altinn-world"

// World is what a directory says.
type World struct {
	// Entries are parties, roles, delegations, system users, access lists and resources, as
	// an import takes them.
	Entries []*behalfv1.ImportEntry
	// Policies are the texts of apps and resources.
	Policies []Policy
	// Instances are instances of apps.
	Instances []*behalfv1.Instance
	// EstateRoles are roles in estates.
	EstateRoles []*behalfv1.EstateRole
	// Notes say what was left out and why, by file.
	Notes []string
}

// Looks reports whether a directory has the files of a world.
func Looks(dir string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }()
	for _, name := range []string{"roles", "register", "keyrole-parties.json", "parties.json", "main-units.json"} {
		if _, err := root.Stat(name); err == nil {
			return true
		}
	}
	return false
}

// Read reads a directory. The error names every file that cannot be read.
func Read(dir string) (*World, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: is a file; an altinn-world is a directory", dir)
	}
	if !Looks(dir) {
		return nil, fmt.Errorf("%s: has no register, parties.json, roles, main-units.json or keyrole-parties.json: it is no altinn-world", dir)
	}
	r := &reader{
		files: files{fs: os.DirFS(dir), dir: dir}, people: newPopulation(), systems: map[string]*system{}, world: &World{},
	}
	r.read()
	if err := errors.Join(r.faults...); err != nil {
		return nil, err
	}
	return r.world, nil
}

// reader reads one world.
type reader struct {
	files
	people      *population
	assignments []assignment
	listed      []listedRight // by lists of parties
	shown       []listedRight // parties that are listed without a reason
	given       []givenPackage
	systems     map[string]*system
	order       []string // of systems
	world       *World
}

// assignment is a role that somebody holds, before all are known who are named.
type assignment struct {
	place    registerfile.Place
	from, to *somebody
	role     string
}

type heldKey struct {
	from, to *somebody
	role     string
}

// read reads the files, those that say most of whom first.
func (r *reader) read() {
	r.readRegister()
	r.readProfiles()
	lists := r.readPartyLists()
	r.readMainUnits()
	r.readRoles()
	r.readKeyRoles()
	r.takeLists(lists)
	owners := r.readResources()
	r.readDelegations()
	r.readPackages()
	r.takeShown()
	r.readAccessLists(owners)
	r.readEstateRoles()
	r.readInstances()
	r.readPolicies()

	r.world.Entries = append(r.world.Entries, r.people.records()...)
	told := make(map[heldKey]bool, len(r.assignments))
	for _, a := range r.assignments {
		key := heldKey{a.from.who(), a.to.who(), strings.ToLower(a.role)}
		if told[key] {
			continue
		}
		told[key] = true
		a.from, a.to = key.from, key.to
		r.world.Entries = append(r.world.Entries, a.place.Checked(a.place.Assignment(&behalfv1.AssignmentRecord{
			From: a.from.reference(), Role: a.role, To: a.to.reference(),
		})))
	}
	r.closeSystems()
	r.closeRights()
}

// at is the place of an element of a file, counted from one.
func (r *reader) at(file string, element int) registerfile.Place {
	return registerfile.Place{File: r.name(file), Line: int64(element)}
}

// hold notes that somebody holds a role.
func (r *reader) hold(at registerfile.Place, from, to *somebody, role string) {
	r.assignments = append(r.assignments, assignment{at, from, to, role})
}

func (r *reader) note(file string, format string, args ...any) {
	r.world.Notes = append(r.world.Notes, r.name(file)+": "+fmt.Sprintf(format, args...))
}

func (r *reader) refuse(at registerfile.Place, field, format string, args ...any) {
	r.world.Entries = append(r.world.Entries, at.Unreadable(field, fmt.Sprintf(format, args...)))
}
