package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// joinCommand is `behalf join`.
type joinCommand struct {
	Terminal
	client client
	yes    bool
}

func newJoin(t Terminal) *cobra.Command {
	c := &joinCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "join FROM INTO",
		Short: "Make one person of two",
		Long: `Make one person of two: INTO takes over all that FROM holds and FROM's logins, and FROM ceases to be. This is
how a person of the public files, who has a name and a birth date only, becomes the person with that login. It
cannot be undone, and the server's log keeps who did it. A person is party:<party id>, uuid:<UUID> or
nin:<national identity number>.`,
		Example: "  behalf join party:1000000017 nin:14827510360 --yes",
		Args:    arguments(2, 2, "two persons: who ceases to be, and who takes over"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args[0], args[1]) },
	}
	c.client.bind(cmd.Flags())
	cmd.Flags().BoolVar(&c.yes, "yes", false, "do it; it cannot be undone")
	return cmd
}

func (c *joinCommand) run(ctx context.Context, fromText, intoText string) error {
	from, fromErr := person(fromText)
	into, intoErr := person(intoText)
	if err := errors.Join(fromErr, intoErr); err != nil {
		return usage(err)
	}
	if !c.yes {
		return usagef("joining %s into %s cannot be undone; give --yes to do it", fromText, intoText)
	}
	conn, err := c.client.dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = behalfv1.NewRegisterServiceClient(conn).JoinPersons(ctx, &behalfv1.JoinPersonsRequest{From: from, Into: into})
	if err != nil {
		return c.client.explain(err)
	}
	_, err = fmt.Fprintf(c.Out, "%s is %s now\n", fromText, intoText)
	return err
}

// person reads how a person is named on the command line.
func person(text string) (*behalfv1.PartyReference, error) {
	scheme, value, _ := strings.Cut(text, ":")
	switch scheme {
	case "party":
		if id, err := strconv.ParseInt(value, 10, 64); err == nil && id > 0 {
			return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: id}}, nil
		}
	case "uuid":
		return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyUuid{PartyUuid: value}}, nil
	case "nin":
		return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_NationalId{NationalId: value}}, nil
	}
	return nil, fmt.Errorf("%q names no person; want party:<party id>, uuid:<UUID> or nin:<national identity number>", text)
}
