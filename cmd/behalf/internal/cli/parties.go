package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// partiesCommand is `behalf parties`.
type partiesCommand struct {
	Terminal
	client client
	output output
	at     moment

	request behalfv1.ListPartiesRequest
	order   string
	all     bool
}

func newParties(t Terminal) *cobra.Command {
	c := &partiesCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "parties",
		Short: "List the parties that a user may represent",
		Long:  "List the parties that a user may represent. With --at they are those that he could represent then, under the\nnames that they have now.",
		Example: `  behalf parties --user 20001337
  behalf parties --user 20001337 --role DAGL --search "skrova" --all`,
		Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	c.client.bind(flags)
	c.output.bind(flags)
	c.at.bind(flags)
	flags.Int64Var(&c.request.UserId, "user", 0, "the user asked about (default: whoever the token is for)")
	flags.StringVar(&c.request.Role, "role", "", "only parties where he has this role: a code or URN")
	flags.StringVar(&c.request.Package, "package", "", "only parties where he may use this access package: a code or URN")
	flags.StringVar(&c.request.Resource, "resource", "", "only parties where this resource's policy lets him, by a role or package it names, or a right delegated")
	flags.StringVar(&c.request.Action, "action", "", "the action of --resource (default: any)")
	flags.StringVar(&c.request.Search, "search", "", "only parties with words of the name that begin so, or an organisation number that does")
	flags.StringVar(&c.order, "order", "name", "name, number or id")
	flags.Int32Var(&c.request.PageSize, "page-size", 100, "parties in a page, at most 10000")
	flags.StringVar(&c.request.PageToken, "page-token", "", "go on where an earlier page ended")
	flags.BoolVar(&c.all, "all", false, "list all pages")
	flags.BoolVar(&c.request.GroupSubUnits, "group-sub-units", false, "list sub-units within their main units; pages count main units")
	flags.BoolVar(&c.request.ExcludeDeleted, "exclude-deleted", false, "leave out parties that the register has struck off")
	return cmd
}

func (c *partiesCommand) run(ctx context.Context) error {
	order, ok := map[string]behalfv1.PartyOrder{
		"name":   behalfv1.PartyOrder_PARTY_ORDER_NAME,
		"number": behalfv1.PartyOrder_PARTY_ORDER_NUMBER,
		"id":     behalfv1.PartyOrder_PARTY_ORDER_ID,
	}[c.order]
	if !ok {
		return usagef("--order: %q is not name, number or id", c.order)
	}
	c.request.Order = order
	var err error
	if c.request.AtTime, c.request.AtRevision, err = c.at.parse(); err != nil {
		return err
	}
	conn, err := c.client.dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := c.at.context(ctx)
	defer cancel()
	list, err := c.list(ctx, behalfv1.NewPartyServiceClient(conn))
	if err != nil {
		return c.client.explain(err)
	}
	if c.output == "json" {
		return printJSON(c.Out, list)
	}
	return c.print(list)
}

// list returns one page, or all of them as one.
func (c *partiesCommand) list(ctx context.Context, service behalfv1.PartyServiceClient) (*behalfv1.ListPartiesResponse, error) {
	list, err := service.ListParties(ctx, &c.request)
	for err == nil && c.all && list.GetNextPageToken() != "" {
		c.request.PageToken = list.GetNextPageToken()
		var page *behalfv1.ListPartiesResponse
		if page, err = service.ListParties(ctx, &c.request); err == nil {
			page.Parties = append(list.GetParties(), page.GetParties()...)
			list = page
		}
	}
	return list, err
}

func (c *partiesCommand) print(list *behalfv1.ListPartiesResponse) error {
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PARTY\tNUMBER\tTYPE\tNAME\t")
	for _, p := range list.GetParties() {
		partyRow(table, "", p)
		for _, sub := range p.GetSubUnits() {
			partyRow(table, "  ", sub)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if list.GetNextPageToken() != "" {
		fmt.Fprintf(c.Err, "%d of %d parties; --all lists all, --page-token %s goes on\n",
			len(list.GetParties()), list.GetTotalSize(), list.GetNextPageToken())
	}
	return nil
}

func partyRow(table *tabwriter.Writer, indent string, p *behalfv1.Party) {
	number, kind := p.GetOrgNumber(), p.GetUnitType()
	if number == "" {
		number = p.GetNationalId()
	}
	if kind == "" {
		kind = strings.ToLower(strings.TrimPrefix(p.GetKind().String(), "PARTY_KIND_"))
	}
	remark := ""
	switch {
	case p.GetHierarchyOnly():
		remark = "for its sub-units only"
	case p.GetDeleted():
		remark = "struck off"
	}
	fmt.Fprintf(table, "%s%d\t%s\t%s\t%s\t%s\n", indent, p.GetPartyId(), number, kind, p.GetName(), remark)
}
