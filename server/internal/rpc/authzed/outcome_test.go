package authzed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// outcome is all that a caller sees of a call, without what must differ between two
// servers: tokens, cursors and request ids.
type outcome struct {
	Answers  []string
	Code     string
	Message  string
	Details  []string
	Trailers map[string][]string
}

// call makes a call of any kind by its descriptor and returns what is seen of it.
func call(t *testing.T, conn *grpc.ClientConn, s scenario) outcome {
	t.Helper()
	service, method, _ := strings.Cut(s.method, "/")
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("authzed.api.v1." + service))
	if err != nil {
		t.Fatal(err)
	}
	m := d.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(method))
	response, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", "parity", "io.spicedb.requestinfo.serverversion", "1")
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/authzed.api.v1."+s.method)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	for _, message := range s.send {
		if err := stream.SendMsg(message); err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("%s: send: %v", s.name, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	var o outcome
	for {
		answer := response.New().Interface()
		err = stream.RecvMsg(answer)
		if err != nil {
			break
		}
		o.Answers = append(o.Answers, text(answer))
		if s.limit > 0 && len(o.Answers) == s.limit {
			return o
		}
	}
	slices.Sort(o.Answers) // SpiceDB's own order varies between runs
	if errors.Is(err, io.EOF) {
		err = nil
	}
	st := status.Convert(err)
	o.Code, o.Message = st.Code().String(), st.Message()
	for _, detail := range st.Details() {
		o.Details = append(o.Details, fmt.Sprint(detail))
	}
	o.Trailers = maps.Clone(map[string][]string(stream.Trailer()))
	if racing(s) {
		for _, name := range []string{"io.spicedb.respmeta.dispatchedoperationscount", "io.spicedb.respmeta.cachedoperationscount"} {
			if count := o.Trailers[name]; len(count) == 1 {
				o.Trailers[name] = []string{"some"}
			}
		}
	}
	if st.Code().String() != "OK" { // the details as bytes; their content is compared above
		delete(o.Trailers, "grpc-status-details-bin")
	}
	return o
}

// racing reports whether SpiceDB's own count of operations says nothing: it asks the terms of
// a union at once and stops counting at the first that holds, and a walk has none.
func racing(s scenario) bool {
	_, method, _ := strings.Cut(s.method, "/")
	return !strings.HasPrefix(s.name, "check: traced") && slices.Contains([]string{
		"CheckPermission", "CheckBulkPermissions", "BulkCheckPermission", "LookupResources", "LookupSubjects",
	}, method)
}

// text prints a message without what differs between servers.
func text(m proto.Message) string {
	m = proto.Clone(m)
	blank(m.ProtoReflect())
	out, err := prototext.MarshalOptions{Multiline: false}.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(out), "  ", " ") // prototext varies its blanks on purpose
}

// blank replaces tokens, cursors and durations in m, at any depth, by empty ones.
func blank(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
			switch f.Name() {
			case "trace_operation_id":
				m.Clear(f)
			case "schema_used":
				definitions := strings.Split(v.String(), "\n\n")
				slices.Sort(definitions)
				m.Set(f, protoreflect.ValueOfString(strings.Join(definitions, "\n\n")))
			}
		case slices.Contains([]protoreflect.Name{"ZedToken", "Cursor", "Duration"}, f.Message().Name()):
			if !f.IsList() {
				m.Set(f, m.NewField(f))
			}
		case f.IsList():
			for i := range v.List().Len() {
				blank(v.List().Get(i).Message())
			}
			if slices.Contains([]protoreflect.Name{"definitions", "caveats", "diffs"}, f.Name()) {
				order(v.List())
			}
		default:
			blank(v.Message())
		}
		return true
	})
}

// order sorts what SpiceDB takes from a map.
func order(list protoreflect.List) {
	byText := make([]proto.Message, list.Len())
	for i := range byText {
		byText[i] = proto.Clone(list.Get(i).Message().Interface())
	}
	slices.SortFunc(byText, func(a, b proto.Message) int { return strings.Compare(text(a), text(b)) })
	for i, m := range byText {
		list.Set(i, protoreflect.ValueOfMessage(m.ProtoReflect()))
	}
}

func services() []grpc.ServiceDesc {
	return []grpc.ServiceDesc{
		v1.PermissionsService_ServiceDesc, v1.SchemaService_ServiceDesc, v1.WatchService_ServiceDesc, v1.ExperimentalService_ServiceDesc,
	}
}

func methods(service grpc.ServiceDesc) []string {
	var names []string
	for _, m := range service.Methods {
		names = append(names, "/"+service.ServiceName+"/"+m.MethodName)
	}
	for _, s := range service.Streams {
		names = append(names, "/"+service.ServiceName+"/"+s.StreamName)
	}
	return names
}
