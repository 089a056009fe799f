package server

import (
	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// handOver copies messages between the gateway and the services of one process. Long lists
// are handed over instead: their service has made them for this call alone and does not look
// at them again, and the gateway only reads them.
type handOver struct{ inprocgrpc.ProtoCloner }

// Copy makes out what in is.
func (c handOver) Copy(out, in any) error {
	switch in.(type) {
	case *behalfv1.ListPartiesResponse, *behalfv1.ListRepresentativesResponse:
	default:
		return c.ProtoCloner.Copy(out, in)
	}
	from, _ := in.(proto.Message)
	to, ok := out.(proto.Message)
	if !ok || from.ProtoReflect().Descriptor() != to.ProtoReflect().Descriptor() {
		return c.ProtoCloner.Copy(out, in)
	}
	proto.Reset(to)
	from.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		to.ProtoReflect().Set(field, value)
		return true
	})
	return nil
}
