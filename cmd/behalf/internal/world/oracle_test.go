package world

import (
	"slices"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
)

// A small register in which every rule has somebody on either side of its border.
func village() *World {
	users := func(id int64) Party { return Party{Type: person, ID: id, UserID: 1000 + id, Login: true} }
	unit := func(id int64, unitType string) Party { return Party{Type: organisation, ID: id, UnitType: unitType} }
	silent := users(5)
	silent.Login = false
	self := users(6)
	self.Type = selfIdentified
	oldTrade := unit(17, "ENK")
	oldTrade.DeletedOn = "2015-01-01"
	return &World{
		Parties: []Party{
			users(1), users(2), users(3), users(4), silent, self, users(7),
			unit(10, "AS"), unit(11, "AS"), unit(12, "AS"), unit(13, "KOMM"), unit(14, "ORGL"), unit(15, "IKS"),
			unit(16, "ENK"), oldTrade,
			{Type: subUnit, ID: 20, UnitType: "BEDR", main: 10},
			{Type: subUnit, ID: 21, UnitType: "BEDR", main: 14},
		},
		Assignments: []Assignment{
			{From: 10, Role: "DAGL", To: 1},  // 1 leads the client
			{From: 10, Role: "REGN", To: 11}, // whose accountant is 11
			{From: 11, Role: "LEDE", To: 2},  // chaired by 2
			{From: 11, Role: "MEDL", To: 3},  // with 3 on its board
			{From: 11, Role: "REGN", To: 12}, // and whose own accountant is 12
			{From: 12, Role: "DAGL", To: 4},  // led by 4
			{From: 13, Role: "LEDE", To: 4},
			{From: 14, Role: "ORGL", To: 13},
			{From: 15, Role: "DTPR", To: 13}, // a municipality in an IKS
			{From: 15, Role: "DTPR", To: 3},  // and a person
			{From: 20, Role: "KONT", To: 5},  // of the sub-unit only
			{From: 16, Role: "INNH", To: 7},
			{From: 17, Role: "INNH", To: 7},
			{From: 16, Role: "REGN", To: 11},
			{From: 17, Role: "REVI", To: 12},
			{From: 10, Role: "MEDL", To: 7, Expires: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)},
			{From: 11, Role: "MEDL", To: 7, Expires: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
	}
}

func TestOracle(t *testing.T) {
	c, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := NewOracle(village(), c, time.Now())
	for _, tc := range []struct {
		why         string
		user, party int64
		has         []string // some of the roles
		hasNot      []string
		all         []string // all of them, when given
		represents  bool
	}{
		{why: "himself", user: 1001, party: 1, has: []string{"PRIV", "A0282", "UTINN"}, hasNot: []string{"ECKEYROLE"}, represents: true},
		{why: "himself without login", user: 1005, party: 5, all: []string{}},
		{why: "himself, self-identified", user: 1006, party: 6, all: []string{"SELN"}, represents: true},
		{why: "key role", user: 1001, party: 10, has: []string{"DAGL", "ECKEYROLE", "UTINN", "apiadm"}, hasNot: []string{"REGN"}, represents: true},
		{why: "main unit to sub-unit", user: 1001, party: 20, has: []string{"DAGL", "ECKEYROLE"}, represents: true},
		{why: "sub-unit only", user: 1005, party: 20, has: []string{"KONT", "UTINN"}, represents: true},
		{why: "sub-unit to main unit", user: 1005, party: 10, all: []string{}},
		{why: "one hop", user: 1002, party: 10, all: []string{"A0239", "A0240", "A0241", "REGN"}, represents: true},
		{why: "one hop and down", user: 1002, party: 20, all: []string{"A0239", "A0240", "A0241", "REGN"}, represents: true},
		{why: "hop without key role", user: 1003, party: 10, all: []string{}},
		{why: "hop to the firm", user: 1004, party: 11, has: []string{"REGN"}, represents: true},
		{why: "two hops", user: 1004, party: 10, all: []string{}},
		{why: "level", user: 1004, party: 14, all: []string{}},
		{why: "below a level", user: 1004, party: 21, all: []string{}},
		{why: "IKS by an organisation", user: 1004, party: 15, all: []string{}},
		{why: "IKS by himself", user: 1003, party: 15, has: []string{"DTPR", "UTINN"}, hasNot: []string{"ECKEYROLE"}, represents: true},
		{why: "the trader's accountant", user: 1002, party: 7, all: []string{"A0239", "A0240", "A0241", "REGN"}, represents: true},
		{why: "the auditor of a trade long gone", user: 1004, party: 7, all: []string{}},
		{why: "the auditor at the trade long gone", user: 1004, party: 17, has: []string{"REVI", "A0237"}, represents: true},
		{why: "ended", user: 1007, party: 10, all: []string{}},
		{why: "not ended", user: 1007, party: 11, has: []string{"MEDL"}, represents: true},
		{why: "nobody", user: 999, party: 10, all: []string{}},
		{why: "nothing", user: 1001, party: 999, all: []string{}},
	} {
		t.Run(tc.why, func(t *testing.T) {
			got := o.Roles(tc.user, tc.party)
			if o.Represents(tc.user, tc.party) != tc.represents {
				t.Errorf("represents is %v", !tc.represents)
			}
			if tc.all != nil && !slices.Equal(got, tc.all) {
				t.Errorf("roles are %v, want %v", got, tc.all)
			}
			for _, code := range tc.has {
				if !slices.Contains(got, code) {
					t.Errorf("roles are %v, without %s", got, code)
				}
			}
			for _, code := range tc.hasNot {
				if slices.Contains(got, code) {
					t.Errorf("roles are %v, with %s", got, code)
				}
			}
		})
	}
}
