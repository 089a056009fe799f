package problem

import (
	"net/http"

	rpccode "google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
)

// clientClosedRequest is what nginx logs for a request whose client went away. Nobody
// reads the answer; the log and the metrics do.
const clientClosedRequest = 499

// HTTPStatus returns the HTTP status of a gRPC code, as google.rpc.Code documents it. A
// code that gRPC does not define, and OK, which is no error, are faults of ours.
func HTTPStatus(code codes.Code) int {
	switch code {
	case codes.Canceled:
		return clientClosedRequest
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.NotFound:
		return http.StatusNotFound
	case codes.AlreadyExists, codes.Aborted:
		return http.StatusConflict
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unimplemented:
		return http.StatusNotImplemented
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	case codes.OK, codes.Unknown, codes.Internal, codes.DataLoss:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// CodeName returns the name of a gRPC code in UPPER_SNAKE_CASE, as JSON clients of gRPC
// know it. A code that gRPC does not define is UNKNOWN.
func CodeName(code codes.Code) string {
	if name, ok := rpccode.Code_name[int32(code)]; ok && code != codes.OK {
		return name
	}
	return rpccode.Code_UNKNOWN.String()
}
