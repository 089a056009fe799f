package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/native"
	"github.com/behalf-authz/behalf/server"
)

// tokenCommand is `behalf token`.
type tokenCommand struct {
	Terminal
	dataDir     string
	issuerKey   string
	user, party int64
	level       int
	scopes      []string
	claims      string
	platform    string
	ttl         time.Duration
}

func newToken(t Terminal) *cobra.Command {
	c := &tokenCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "token (--user USER | --scope SCOPE | --claims FILE | --platform)",
		Short: "Sign a token for trying and testing",
		Long: `Sign a token with the key in the data directory of a server on this machine, for trying and testing, or with
the one that servers share. The server need not run. Only the token goes to standard output.`,
		Example: `  curl -H "Authorization: Bearer $(behalf token --user 20001337 --level 3)" …
  behalf token --scope behalf:check --scope behalf:parties.read
  echo '{"urn:altinn:userid": 20001337}' | behalf token --claims -
  curl -H "PlatformAccessToken: $(behalf token --platform=access-management)" …
  BEHALF_TOKEN=$(behalf token --issuer-key issuer.key --scope behalf:admin --ttl 5m) behalf apikey create …`,
		Args:    arguments(0, 0, "none"),
		PreRunE: c.validate,
		RunE:    func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.dataDir, "data-dir", defaultDataDir, "data directory of the server")
	flags.StringVar(&c.issuerKey, "issuer-key", "", "file of the keys that servers share, in the place of the key in --data-dir")
	flags.Int64Var(&c.user, "user", 0, "an end user's token: his user id")
	flags.Int64Var(&c.party, "party", 0, "the end user's own party id")
	flags.IntVar(&c.level, "level", 3, "the end user's authentication level, 0 to 4")
	flags.StringSliceVar(&c.scopes, "scope", nil, "a service's token: its scopes, such as behalf:check")
	flags.StringVar(&c.claims, "claims", "", "a token of any claims: a file with one JSON object, or - for standard input")
	flags.StringVar(&c.platform, "platform", "", "a PlatformAccessToken: the part of the platform that bears it; with --claims, a token of these claims")
	flags.Lookup("platform").NoOptDefVal = defaultPlatform
	flags.DurationVar(&c.ttl, "ttl", time.Hour, "how long it lasts, unless the claims say so by exp")
	return cmd
}

func (c *tokenCommand) run() error {
	claims, err := c.content()
	if err != nil {
		return err
	}
	token, err := c.sign(claims)
	if errors.Is(err, fs.ErrNotExist) && c.issuerKey == "" {
		return fmt.Errorf("no server has made its signing key in %s; start `behalf serve` once, or name its directory with --data-dir", c.dataDir)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.Out, token)
	return err
}

func (c *tokenCommand) sign(claims map[string]any) (string, error) {
	if c.issuerKey == "" {
		return server.SignToken(c.dataDir, claims, c.ttl)
	}
	token, err := server.SignTokenWith(c.issuerKey, claims, c.ttl)
	if err != nil {
		return "", fmt.Errorf("--issuer-key: %w", err)
	}
	return token, nil
}

func (c *tokenCommand) validate(*cobra.Command, []string) error {
	var faults []error
	given := 0
	for _, is := range []bool{c.user != 0, len(c.scopes) > 0, c.claims != "" || c.platform != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		faults = append(faults, errors.New("give one of --user, --scope, --claims and --platform"))
	}
	if c.user < 0 || c.party < 0 {
		faults = append(faults, errors.New("--user, --party: ids are positive"))
	}
	if c.party != 0 && c.user == 0 {
		faults = append(faults, errors.New("--party: goes with --user"))
	}
	if c.level < 0 || c.level > 4 {
		faults = append(faults, fmt.Errorf("--level: %d is not 0 to 4", c.level))
	}
	if c.ttl <= 0 {
		faults = append(faults, fmt.Errorf("--ttl: %s is not a time to last", c.ttl))
	}
	if len(faults) > 0 {
		return usage(errors.Join(faults...))
	}
	return nil
}

func (c *tokenCommand) content() (map[string]any, error) {
	switch {
	case c.user != 0:
		return server.UserClaims(c.user, c.party, c.level), nil
	case len(c.scopes) > 0:
		return map[string]any{"client_id": "behalf-token", "scope": strings.Join(c.scopes, " ")}, nil
	}
	if c.claims == "" {
		return c.ofPlatform(map[string]any{}), nil
	}
	text, err := c.readClaims()
	if err != nil {
		return nil, fmt.Errorf("--claims: %w", err)
	}
	claims, err := native.Object(text)
	if err != nil {
		return nil, fmt.Errorf("--claims: %s: %w", c.claims, err)
	}
	return c.ofPlatform(claims), nil
}

// defaultPlatform is the part of the platform that asks others of Altinn's.
const defaultPlatform = "access-management"

// ofPlatform adds to the claims what makes a token one of the platform's, where they lack
// it and it is to be one.
func (c *tokenCommand) ofPlatform(claims map[string]any) map[string]any {
	if c.platform == "" {
		return claims
	}
	for name, value := range map[string]string{"iss": server.PlatformIssuer, "urn:altinn:app": c.platform} {
		if _, given := claims[name]; !given {
			claims[name] = value
		}
	}
	return claims
}

func (c *tokenCommand) readClaims() ([]byte, error) {
	if c.claims == "-" {
		return io.ReadAll(c.In)
	}
	return os.ReadFile(c.claims)
}
