package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// delegationsCommand is `behalf delegate list`.
type delegationsCommand struct {
	delegateCommand
	request behalfv1.ListDelegationsRequest
	side    string
}

func newDelegateList(t Terminal) *cobra.Command {
	c := &delegationsCommand{delegateCommand: delegateCommand{Terminal: t}}
	cmd := c.bound(&cobra.Command{
		Use:   "list (--party ID | --system-user UUID)",
		Short: "List what a party has given, was given, or has passed on of its clients'",
		Example: `  behalf delegate list --party 50076451
  behalf delegate list --party 50076451 --side received
  behalf delegate list --system-user 47caea5b-a80b-4343-b1d3-31eb523a4e28`,
		Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}, "the user who asks (default: whoever the token is for)")
	flags := cmd.Flags()
	flags.Int64Var(&c.request.PartyId, "party", 0, "the party id")
	flags.StringVar(&c.request.SystemUserId, "system-user", "", "a system user, of which all is listed that it was given")
	flags.StringVar(&c.side, "side", "given", "given, received or clients")
	return cmd
}

func (c *delegationsCommand) run(ctx context.Context) error {
	side, ok := map[string]behalfv1.DelegationSide{
		"given":    behalfv1.DelegationSide_DELEGATION_SIDE_GIVEN,
		"received": behalfv1.DelegationSide_DELEGATION_SIDE_RECEIVED,
		"clients":  behalfv1.DelegationSide_DELEGATION_SIDE_CLIENTS,
	}[c.side]
	switch {
	case !ok:
		return usagef("--side: %q is not given, received or clients", c.side)
	case (c.request.PartyId > 0) == (c.request.SystemUserId != ""):
		return usage(errors.New("name a party by --party ID, or a system user by --system-user UUID"))
	}
	c.request.Side, c.request.UserId, c.request.PageSize = side, c.user, 1000
	return c.call(ctx, func(service behalfv1.DelegationServiceClient) error {
		list := &behalfv1.ListDelegationsResponse{}
		for {
			page, err := service.ListDelegations(ctx, &c.request)
			if err != nil {
				return err
			}
			list.Delegations = append(list.Delegations, page.GetDelegations()...)
			if c.request.PageToken = page.GetNextPageToken(); c.request.PageToken == "" {
				break
			}
		}
		if c.output == "json" {
			return printJSON(c.Out, list)
		}
		table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tFROM\tTO\tWHAT\tUNTIL\t")
		for _, d := range list.GetDelegations() {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t\n", d.GetId(), d.GetFromPartyId(), whoHas(d), whatIsGiven(d), until(d.GetExpiresAt()))
		}
		return table.Flush()
	})
}

func whoHas(d *behalfv1.Delegation) string {
	if d.GetToSystemUserId() != "" {
		return "systemuser:" + d.GetToSystemUserId()
	}
	return strconv.FormatInt(d.GetToPartyId(), 10)
}

func whatIsGiven(d *behalfv1.Delegation) string {
	switch {
	case d.GetRight() != nil:
		return rightText(d.GetRight())
	case d.GetClientPackage() != nil:
		return fmt.Sprintf("%s by %d", d.GetClientPackage().GetPackage(), d.GetClientPackage().GetProviderPartyId())
	}
	return d.GetPackage()
}

func rightText(r *behalfv1.Right) string {
	text := r.GetAction() + " " + r.GetResource()
	if r.GetInstance() != "" {
		text += " instance " + r.GetInstance()
	}
	if r.GetTask() != "" {
		text += " task " + r.GetTask()
	}
	return text
}

func until(at *timestamppb.Timestamp) string {
	if at == nil {
		return "-"
	}
	return at.AsTime().Format(time.RFC3339)
}
