package authn

import (
	"log/slog"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// maxSecret is the greatest length of credentials that are looked at, in bytes.
const maxSecret = 16 << 10

const redacted = "[redacted]"

// Secret is a token or API key as its holder sends it. It prints as a placeholder;
// string(s) is the text.
type Secret string

// String returns a placeholder.
func (s Secret) String() string { return redacted }

// GoString returns a placeholder.
func (s Secret) GoString() string { return redacted }

// LogValue returns a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns a placeholder, so that no encoder shows the text by accident.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// FromAuthorization returns the credentials in the values of an Authorization header.
// More than one value is refused rather than guessed about: two parts of a system must
// never act on different ones.
func FromAuthorization(values []string) (Secret, error) {
	switch len(values) {
	case 0:
		return "", fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no credentials")
	case 1:
	default:
		return "", invalid("the call carries more than one authorization header")
	}
	scheme, text, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || text == "" || strings.ContainsAny(text, " \t,") {
		return "", invalid("the authorization header is not \"Bearer\" and one token or API key")
	}
	return Secret(text), nil
}

// invalid returns the fault of credentials that are refused. The sentence is shown, and
// must say nothing that the holder of the credentials does not know.
func invalid(public string) *fault.Error {
	return fault.New(fault.Unauthenticated, fault.ReasonCredentialsInvalid, "%s", public)
}
