package relation

import "strings"

// Shape is what a schema allows or not: relationships of one shape stand or fall together.
type Shape struct {
	Resource string // the definition of the resource
	Relation string

	Subject         string // the definition of the subject
	SubjectRelation string // empty for the subject itself
	Everybody       bool   // the subject is all of its definition
	Caveat          string // empty for none
	Expires         bool
}

// Name returns definition#relation.
func (s Shape) Name() string { return s.Resource + "#" + s.Relation }

// Type returns the shape's subject as a schema has it among the types of a relation.
func (s Shape) Type() string {
	text := s.Subject
	if s.Everybody {
		text += ":*"
	}
	if s.SubjectRelation != "" {
		text += "#" + s.SubjectRelation
	}
	var with []string
	if s.Caveat != "" {
		with = append(with, s.Caveat)
	}
	if s.Expires {
		with = append(with, "expiration")
	}
	if len(with) > 0 {
		text += " with " + strings.Join(with, " and ")
	}
	return text
}
