package cli

import (
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// explain turns the error of a call into one line: what is wrong, the reason that the
// server gives for programs, and the fields at fault.
func (c *client) explain(err error) error {
	s, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	reason, fields := details(s)
	text := s.Message()
	for _, f := range fields {
		if !strings.Contains(text, f) {
			text += "; " + f
		}
	}
	if s.Code() == codes.Unavailable && reason == "" {
		return fmt.Errorf("no server answers at %s; start `behalf serve`, or name another with --address "+
			"(a server with TLS needs --tls or --ca-cert): %s", c.address, cause(text))
	}
	if reason == "" {
		reason = s.Code().String()
	}
	return fmt.Errorf("%s (%s)", text, reason)
}

// details returns the reason and the violations of a status.
func details(s *status.Status) (reason string, fields []string) {
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			reason = d.GetReason()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				fields = append(fields, v.GetField()+": "+v.GetDescription())
			}
		}
	}
	return reason, fields
}

// cause keeps the end of a transport's error, which says what happened.
func cause(text string) string {
	text = strings.Trim(text, `"`)
	if i := strings.LastIndex(text, "desc = "); i >= 0 {
		text = text[i+len("desc = "):]
	}
	return strings.Trim(text, `"`)
}
