package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// delegableCommand is `behalf delegate check`.
type delegableCommand struct {
	delegateCommand
	request behalfv1.CheckDelegationRequest
}

func newDelegateCheck(t Terminal) *cobra.Command {
	c := &delegableCommand{delegateCommand: delegateCommand{Terminal: t}}
	cmd := c.bound(&cobra.Command{
		Use:   "check --party ID [--resource ID | --package CODE…]",
		Short: "Say what a user may pass on for a party, and why not the rest",
		Example: `  behalf delegate check --user 20001337 --party 50076451 --resource app_skd_taxreport
  behalf delegate check --user 20001337 --party 50076451 --package jordbruk`,
		Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}, "the user asked about (default: whoever the token is for)")
	flags := cmd.Flags()
	flags.Int64Var(&c.request.PartyId, "party", 0, "the party id")
	flags.StringVar(&c.request.Resource, "resource", "", "the rights to a resource: its id, or app_<org>_<app>")
	flags.StringArrayVar(&c.request.Packages, "package", nil, "an access package, by code or URN (default: all of them)")
	flags.Int64Var(&c.request.ProviderPartyId, "provider", 0, "packages of the party, a client, that this provider may pass on: its party id")
	return cmd
}

func (c *delegableCommand) run(ctx context.Context) error {
	if c.request.PartyId <= 0 {
		return usage(errors.New("--party: name a party by its id, such as 50076451"))
	}
	c.request.UserId = c.user
	return c.call(ctx, func(service behalfv1.DelegationServiceClient) error {
		answer, err := service.CheckDelegation(ctx, &c.request)
		if err != nil {
			return err
		}
		if c.output == "json" {
			return printJSON(c.Out, answer)
		}
		table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "WHAT\tMAY\tWHY NOT\t")
		for _, a := range answer.GetAnswers() {
			what := a.GetPackage()
			if a.GetRight() != nil {
				what = rightText(a.GetRight())
			}
			fmt.Fprintf(table, "%s\t%t\t%s\t\n", what, a.GetMayDelegate(), a.GetReason())
		}
		return table.Flush()
	})
}
