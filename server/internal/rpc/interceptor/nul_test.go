package interceptor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// TestWithNUL finds the character in texts, lists, maps and their keys, at any depth, and
// names the place.
func TestWithNUL(t *testing.T) {
	text := structpb.NewStringValue
	m := &structpb.Struct{Fields: map[string]*structpb.Value{
		"good": structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{text("a"), text("b")}}),
		"bad":  structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{text("a"), text("b\x00")}}),
	}}
	want := []fault.Violation{{Field: `fields["bad"].list_value.values[1].string_value`, Message: "must not have a NUL character"}}
	if diff := cmp.Diff(want, withNUL(m.ProtoReflect(), "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	key := &structpb.Struct{Fields: map[string]*structpb.Value{"a\x00": text("b")}}
	if got := withNUL(key.ProtoReflect(), ""); len(got) != 1 || got[0].Field != "fields" {
		t.Errorf("a key: %v", got)
	}
	if got := withNUL((&structpb.Struct{}).ProtoReflect(), ""); got != nil {
		t.Errorf("an empty message: %v", got)
	}
	if err := invalid(want); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v, want an invalid one", err)
	}
}
