package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// rolesCommand is `behalf roles`.
type rolesCommand struct {
	Terminal
	client      client
	output      output
	at          moment
	user, party int64
}

func newRoles(t Terminal) *cobra.Command {
	c := &rolesCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:     "roles --party PARTY",
		Short:   "List the roles that a user has for a party",
		Long:    "List the roles that a user has for a party: held, inherited from the main unit or through an organisation\nin which he has a key role, and implied by those. One code a line; no line when he has none.\nWith --at they are those of then.",
		Example: "  behalf roles --user 20001337 --party 50076451",
		Args:    arguments(0, 0, "none"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	c.client.bind(flags)
	c.output.bind(flags)
	c.at.bind(flags)
	flags.Int64Var(&c.user, "user", 0, "the user asked about (default: whoever the token is for)")
	flags.Int64Var(&c.party, "party", 0, "the party id")
	return cmd
}

func (c *rolesCommand) run(ctx context.Context) error {
	if c.party <= 0 {
		return usage(errors.New("--party: name a party by its id, such as 50076451"))
	}
	request := &behalfv1.ListRolesRequest{PartyId: c.party, UserId: c.user}
	var err error
	if request.AtTime, request.AtRevision, err = c.at.parse(); err != nil {
		return err
	}
	conn, err := c.client.dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := c.at.context(ctx)
	defer cancel()
	answer, err := behalfv1.NewRoleServiceClient(conn).ListRoles(ctx, request)
	if err != nil {
		return c.client.explain(err)
	}
	if c.output == "json" {
		return printJSON(c.Out, answer)
	}
	for _, r := range answer.GetRoles() {
		fmt.Fprintln(c.Out, r.GetCode())
	}
	return nil
}
