package bench

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Methods of OpenFGA.
const (
	openFGACheck = "/openfga.v1.OpenFGAService/Check"
	openFGAList  = "/openfga.v1.OpenFGAService/ListObjects"
)

// openFGA is OpenFGA's own API over gRPC. What is asked of it is so little that its messages
// are written by hand, field by field: nothing of OpenFGA is linked.
type openFGA struct {
	conns        []grpc.ClientConnInterface
	store, model string
	permission   string
	consistency  Consistency
}

func (o *openFGA) Probe(ctx context.Context, q Question) ([]byte, error) {
	return o.call(ctx, 0, openFGACheck, o.check(q))
}

func (o *openFGA) Ask(ctx context.Context, caller int, q Question) (bool, error) {
	answer, err := o.call(ctx, caller, openFGACheck, o.check(q))
	if err != nil {
		return false, err
	}
	allowed := false
	err = fields(answer, func(f field) {
		if f.number == 1 {
			allowed = f.value != 0
		}
	})
	return allowed, err
}

// list is a Lister.
func (o *openFGA) list(ctx context.Context, user string, add func(party string)) error {
	answer, err := o.call(ctx, 0, openFGAList, o.listObjects(user))
	if err != nil {
		return err
	}
	var strange string
	err = fields(answer, func(f field) {
		id, ok := strings.CutPrefix(string(f.text), "party:")
		switch {
		case f.number != 1:
		case ok:
			add(id)
		default:
			strange = string(f.text)
		}
	})
	if err == nil && strange != "" {
		err = fmt.Errorf("the list holds %q, which is no party", strange)
	}
	return err
}

// call sends a message and returns the answer. An empty message of protobuf keeps what it
// does not know, and writes it again as it is.
func (o *openFGA) call(ctx context.Context, caller int, method string, request []byte) ([]byte, error) {
	in, out := new(emptypb.Empty), new(emptypb.Empty)
	in.ProtoReflect().SetUnknown(request)
	if err := o.conns[caller%len(o.conns)].Invoke(ctx, method, in, out); err != nil {
		return nil, err
	}
	return out.ProtoReflect().GetUnknown(), nil
}

// check is a CheckRequest.
func (o *openFGA) check(q Question) []byte {
	var key, m []byte
	key = appendText(key, 1, "user:"+q.User)
	key = appendText(key, 2, o.permission)
	key = appendText(key, 3, "party:"+q.Party)
	m = appendText(m, 1, o.store)
	m = appendText(m, 2, string(key))
	m = appendText(m, 4, o.model)
	return appendNumber(m, 7, o.preference())
}

// listObjects is a ListObjectsRequest.
func (o *openFGA) listObjects(user string) []byte {
	var m []byte
	m = appendText(m, 1, o.store)
	m = appendText(m, 2, o.model)
	m = appendText(m, 3, "party")
	m = appendText(m, 4, o.permission)
	m = appendText(m, 5, "user:"+user)
	return appendNumber(m, 8, o.preference())
}

// preference is a ConsistencyPreference: HIGHER_CONSISTENCY, which goes past all caches,
// or MINIMIZE_LATENCY.
func (o *openFGA) preference() uint64 {
	if o.consistency == MinimizeLatency {
		return 100
	}
	return 200
}

func appendText(m []byte, number protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(m, number, protowire.BytesType), text)
}

func appendNumber(m []byte, number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), value)
}

// field is a field of a message: a text or message, or a number.
type field struct {
	number protowire.Number
	text   []byte
	value  uint64
}

// fields visits the fields of a message in their order, but for those of other types.
func fields(m []byte, visit func(field)) error {
	for len(m) > 0 {
		number, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return fmt.Errorf("read the answer: %w", protowire.ParseError(n))
		}
		m = m[n:]
		f := field{number: number}
		switch kind {
		case protowire.BytesType:
			f.text, n = protowire.ConsumeBytes(m)
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(m)
		default:
			f.number, n = 0, protowire.ConsumeFieldValue(number, kind, m)
		}
		if n < 0 {
			return fmt.Errorf("read the answer: %w", protowire.ParseError(n))
		}
		m = m[n:]
		visit(f)
	}
	return nil
}
