package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/native"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
)

// define makes definitions of one's own live.
func (w *companions) define(ctx context.Context, conn grpc.ClientConnInterface) error {
	if w.definitions == "" {
		return nil
	}
	_, err := v1.NewSchemaServiceClient(conn).WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: relations.Schema + "\n" + w.definitions})
	return err
}

// bring writes all that is no register entry, and counts it in the outcome of its source.
func (w *companions) bring(ctx context.Context, conn grpc.ClientConnInterface, outcome *behalfv1.ImportOutcome) error {
	b := &bringing{ctx: ctx, outcome: outcome}
	for _, s := range outcome.GetSources() {
		if s.GetSource() == w.source {
			b.of = s
		}
	}
	if b.of == nil {
		b.of = &behalfv1.SourceOutcome{Source: w.source, Parties: &behalfv1.ImportCounts{}, Assignments: &behalfv1.ImportCounts{}}
		if len(w.policies)+len(w.relationships)+len(w.instances)+len(w.estateRoles) > 0 {
			outcome.Sources = append(outcome.Sources, b.of)
		}
	}
	for _, step := range []func(grpc.ClientConnInterface, *bringing) error{
		w.bringPolicies, w.bringInstances, w.bringEstateRoles, w.bringRelationships,
	} {
		if err := step(conn, b); err != nil {
			return err
		}
	}
	return nil
}

// bringing is a run of bring.
type bringing struct {
	ctx     context.Context //nolint:containedctx // of the one call that it lives in
	outcome *behalfv1.ImportOutcome
	of      *behalfv1.SourceOutcome
}

// counts returns the counts of a kind of entries.
func (b *bringing) counts(kind string) *behalfv1.ImportCounts {
	c := &behalfv1.ImportCounts{}
	b.of.Others = append(b.of.Others, &behalfv1.ImportKind{Kind: kind, Counts: c})
	return c
}

// refused reports whether a call failed because of what was sent, and then notes it.
func (b *bringing) refused(c *behalfv1.ImportCounts, file string, line int64, err error) bool {
	s := status.Convert(err)
	if s.Code() != codes.InvalidArgument && s.Code() != codes.NotFound && s.Code() != codes.FailedPrecondition {
		return false
	}
	c.Refused++
	_, fields := details(s)
	if len(fields) == 0 {
		fields = []string{s.Message()}
	}
	for _, message := range fields {
		b.outcome.Refusals = append(b.outcome.Refusals, &behalfv1.ImportRefusal{File: file, Line: line, Message: message})
	}
	return true
}

func (w *companions) bringPolicies(conn grpc.ClientConnInterface, b *bringing) error {
	if len(w.policies) == 0 {
		return nil
	}
	c, service := b.counts("policies"), behalfv1.NewPolicyServiceClient(conn)
	for _, p := range w.policies {
		put, err := service.PutPolicy(b.ctx, &behalfv1.PutPolicyRequest{Ref: p.ref, Text: p.text, AnyOfPerCategory: p.anyOf})
		switch {
		case err != nil && b.refused(c, p.name, 1, err):
		case err != nil:
			return fmt.Errorf("put the policy %s: %w", p.name, err)
		case put.GetCreated():
			c.Added++
		case put.GetChanged():
			c.Changed++
		default:
			c.Unchanged++
		}
	}
	return nil
}

func (w *companions) bringInstances(conn grpc.ClientConnInterface, b *bringing) error {
	if len(w.instances) == 0 {
		return nil
	}
	c, service := b.counts("instances"), behalfv1.NewInformationServiceClient(conn)
	for _, instance := range w.instances {
		_, err := service.PutInstance(b.ctx, &behalfv1.PutInstanceRequest{Instance: instance})
		switch {
		case err != nil && b.refused(c, instance.GetId(), 1, err):
		case err != nil:
			return fmt.Errorf("put the instance %s: %w", instance.GetId(), err)
		default:
			c.Added++
		}
	}
	return nil
}

func (w *companions) bringEstateRoles(conn grpc.ClientConnInterface, b *bringing) error {
	if len(w.estateRoles) == 0 {
		return nil
	}
	c, service := b.counts("estate roles"), behalfv1.NewInformationServiceClient(conn)
	for i, role := range w.estateRoles {
		_, err := service.PutEstateRole(b.ctx, &behalfv1.PutEstateRoleRequest{EstateRole: role})
		switch {
		case err != nil && b.refused(c, "estate roles", int64(i+1), err):
		case err != nil:
			return fmt.Errorf("put an estate role: %w", err)
		default:
			c.Added++
		}
	}
	return nil
}

// relationshipLine is a relationship of a file.
type relationshipLine struct {
	file         string
	line         int64
	relationship *v1.Relationship
}

// readRelationships reads a file of relationships, one a line as zed writes them:
// record:record-1#reader@user:alice, or …@user:alice[caveat:{"its":"context"}]. A line that
// begins with // is a remark.
func (w *companions) readRelationships(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		words := strings.TrimSpace(string(line))
		if words == "" || strings.HasPrefix(words, "//") {
			continue
		}
		r, err := parseRelationship(words)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		w.relationships = append(w.relationships, relationshipLine{name, int64(i + 1), r})
	}
	return nil
}

func parseRelationship(text string) (*v1.Relationship, error) {
	plain, condition, conditional := strings.Cut(text, "[")
	resource, subject, ok := strings.Cut(plain, "@")
	object, relation, named := strings.Cut(resource, "#")
	subjectObject, subjectRelation, _ := strings.Cut(subject, "#")
	ofType, ofID, isObject := strings.Cut(object, ":")
	byType, byID, isSubject := strings.Cut(subjectObject, ":")
	if !ok || !named || !isObject || !isSubject {
		return nil, fmt.Errorf("%q is no relationship, such as record:record-1#reader@user:alice", text)
	}
	r := &v1.Relationship{
		Resource: &v1.ObjectReference{ObjectType: ofType, ObjectId: ofID}, Relation: relation,
		Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: byType, ObjectId: byID}, OptionalRelation: subjectRelation},
	}
	if !conditional {
		return r, nil
	}
	condition, closed := strings.CutSuffix(condition, "]")
	name, given, _ := strings.Cut(condition, ":")
	if !closed || name == "" {
		return nil, fmt.Errorf("%q has no caveat, such as [active] or [active:{\"since\":2020}]", text)
	}
	r.OptionalCaveat = &v1.ContextualizedCaveat{CaveatName: name}
	if given == "" {
		return r, nil
	}
	members, err := native.Object([]byte(given))
	if err == nil {
		r.OptionalCaveat.Context, err = structOf(members)
	}
	if err != nil {
		return nil, fmt.Errorf("the context of caveat %s: %w", name, err)
	}
	return r, nil
}

// structOf returns an object whose numbers keep their digits as a message, which has
// floating-point numbers only.
func structOf(members map[string]any) (*structpb.Struct, error) {
	text, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	s := &structpb.Struct{}
	return s, s.UnmarshalJSON(text)
}

// relationshipsAtOnce is how many relationships are written in one transaction.
const relationshipsAtOnce = 1000

func (w *companions) bringRelationships(conn grpc.ClientConnInterface, b *bringing) error {
	if len(w.relationships) == 0 {
		return nil
	}
	c, service := b.counts("relationships"), v1.NewPermissionsServiceClient(conn)
	for rest := w.relationships; len(rest) > 0; {
		n := min(len(rest), relationshipsAtOnce)
		request := &v1.WriteRelationshipsRequest{}
		for _, l := range rest[:n] {
			request.Updates = append(request.Updates, &v1.RelationshipUpdate{
				Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: l.relationship,
			})
		}
		if _, err := service.WriteRelationships(b.ctx, request); err != nil {
			return fmt.Errorf("%s:%d to %d: write relationships: %w", rest[0].file, rest[0].line, rest[n-1].line, err)
		}
		c.Added += int64(n)
		rest = rest[n:]
	}
	return nil
}
