package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway/problem"
)

// bufferBody reads the body of a request that has one, within the limit, and refuses one
// that is not said to be JSON: a form that a page of another site can send is no call.
func (a *API) bufferBody(r *http.Request) *problem.Problem {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, a.maxBody+1))
	switch {
	case err != nil:
		p := problem.New(http.StatusBadRequest, codes.InvalidArgument, problem.InvalidArgument, "the body ended before its announced length")
		return &p
	case int64(len(body)) > a.maxBody:
		p := problem.New(http.StatusRequestEntityTooLarge, codes.InvalidArgument, problem.BodyTooLarge,
			fmt.Sprintf("the body exceeds the limit of %d bytes", a.maxBody))
		return &p
	case len(body) > 0 && !isJSON(r.Header.Get("Content-Type")):
		p := problem.New(http.StatusUnsupportedMediaType, codes.InvalidArgument, problem.UnsupportedMediaType,
			"send the body with Content-Type: application/json")
		return &p
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func isJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	charset, given := params["charset"]
	return err == nil && media == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

// marshaler is the proto3 JSON mapping, with zero fields written and unknown ones refused.
type marshaler struct{ runtime.JSONPb }

func newMarshaler() *marshaler {
	return &marshaler{runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: true}}}
}

// NewDecoder returns a decoder of a whole body. That of runtime.JSONPb reads the first
// value and overlooks what stands behind it.
func (*marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		msg, ok := v.(proto.Message)
		if !ok {
			return fmt.Errorf("a body cannot be read into %T", v)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(body)) == 0 {
			return io.EOF
		}
		if err := protojson.Unmarshal(body, msg); err != nil {
			return errors.New("body: " + plain(err.Error()))
		}
		return nil
	})
}

// protojson opens its errors with its name and a space that is now plain, now not, so that
// nobody depends on the text.
var protojsonName = regexp.MustCompile(`^proto:[\s\x{a0}]*`)

func plain(text string) string {
	return strings.ReplaceAll(protojsonName.ReplaceAllString(text, ""), "\u00a0", " ")
}

// Texts of grpc-gateway and of the decoder above that name a field.
var (
	unknownField = regexp.MustCompile(`unknown field "([^"]*)"`)
	fieldValue   = regexp.MustCompile(`invalid value for \S+ field (\S+): (.*)$`)
	parameter    = regexp.MustCompile(`^type mismatch, parameter: (\S+), error: `)
	queryField   = regexp.MustCompile(`^(?:parsing (?:field|list)|too many values for field|duplicate field) "([^"]+)"`)
)

// located names the field that a text of grpc-gateway or protojson is about. Their errors
// reach us as texts only; one that is not recognised is shown as it is.
func located(p problem.Problem) problem.Problem {
	p.Reason = problem.InvalidArgument
	text := p.Detail
	if m := unknownField.FindStringSubmatch(text); m != nil {
		p.Violations = []problem.Violation{{Field: m[1], Message: "there is no such field"}}
	} else if m := fieldValue.FindStringSubmatch(text); m != nil {
		p.Violations = []problem.Violation{{Field: m[1], Message: "invalid value " + m[2]}}
	} else if m := parameter.FindStringSubmatch(text); m != nil {
		p = problem.Invalid(m[1], "the path holds no value of its type")
	} else if m := queryField.FindStringSubmatch(text); m != nil {
		p = problem.Invalid(m[1], "the query holds no single value of its type")
	}
	return p
}
