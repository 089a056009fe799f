package interceptor

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// withNUL returns the violations of the texts of a message that have a NUL character, at any
// depth. Postgres keeps none and C libraries end there: what one store took another would not
// give back. Bytes may have them.
func withNUL(m protoreflect.Message, path string) (found []fault.Violation) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		kind := f.Kind()
		if f.IsMap() {
			kind = f.MapValue().Kind()
		}
		at := path + string(f.Name())
		one := func(at string, v protoreflect.Value) {
			switch {
			case kind == protoreflect.StringKind && strings.IndexByte(v.String(), 0) >= 0:
				found = append(found, fault.Violation{Field: at, Message: "must not have a NUL character"})
			case kind == protoreflect.MessageKind || kind == protoreflect.GroupKind:
				found = append(found, withNUL(v.Message(), at+".")...)
			}
		}
		switch {
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				if strings.IndexByte(k.String(), 0) >= 0 {
					found = append(found, fault.Violation{Field: at, Message: "must not have a NUL character in a key"})
				}
				one(fmt.Sprintf("%s[%q]", at, k.String()), v)
				return true
			})
		case kind != protoreflect.StringKind && kind != protoreflect.MessageKind && kind != protoreflect.GroupKind:
		case f.IsList():
			for i := range v.List().Len() {
				if e := v.List().Get(i); kind != protoreflect.StringKind || strings.IndexByte(e.String(), 0) >= 0 {
					one(fmt.Sprintf("%s[%d]", at, i), e)
				}
			}
		default:
			one(at, v)
		}
		return true
	})
	return found
}
