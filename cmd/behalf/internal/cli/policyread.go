package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// policyPage is how many policies or changes are asked for at once.
const policyPage = 1000

func newPolicyGet(t Terminal) *cobra.Command {
	cmd, c := newPolicyCommand(t, &cobra.Command{
		Use:     "get --app ORG/APP",
		Short:   "Print a policy",
		Long:    "Print the text of the current policy, byte by byte as it was put, or of the version that --etag names.",
		Example: "  behalf policy get --app skd/taxreport > policy.xml",
		Args:    arguments(0, 0, "none"),
	}, (*policyCommand).named, (*policyCommand).get)
	c.about.bind(cmd.Flags())
	cmd.Flags().StringVar(&c.etag, "etag", "", "another version, as `behalf policy history` shows it")
	return cmd
}

func (c *policyCommand) get(ctx context.Context, service behalfv1.PolicyServiceClient) error {
	answer, err := service.GetPolicy(ctx, &behalfv1.GetPolicyRequest{Ref: c.ref, Etag: c.etag})
	if err != nil {
		return err
	}
	if c.output == "json" {
		return printJSON(c.Out, answer)
	}
	_, err = c.Out.Write(answer.GetText())
	return err
}

func newPolicyList(t Terminal) *cobra.Command {
	cmd, _ := newPolicyCommand(t, &cobra.Command{
		Use: "list", Short: "List the current policies", Args: arguments(0, 0, "none"),
	}, (*policyCommand).all, (*policyCommand).list)
	return cmd
}

// listPolicies returns all pages of the list as one.
func listPolicies(ctx context.Context, service behalfv1.PolicyServiceClient) (*behalfv1.ListPoliciesResponse, error) {
	all := &behalfv1.ListPoliciesResponse{}
	for more := true; more; more = all.GetNextPageToken() != "" {
		page, err := service.ListPolicies(ctx, &behalfv1.ListPoliciesRequest{PageSize: policyPage, PageToken: all.GetNextPageToken()})
		if err != nil {
			return nil, err
		}
		page.Policies = append(all.GetPolicies(), page.GetPolicies()...)
		all = page
	}
	return all, nil
}

func (c *policyCommand) list(ctx context.Context, service behalfv1.PolicyServiceClient) error {
	all, err := listPolicies(ctx, service)
	if err != nil {
		return err
	}
	if c.output == "json" {
		return printJSON(c.Out, all)
	}
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "POLICY\tETAG\tBYTES\tCHANGED\tBY")
	for _, p := range all.GetPolicies() {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", refText(p.GetRef()), p.GetEtag(), p.GetSize(), instantText(p.GetChangedAt()), p.GetChangedBy())
	}
	return table.Flush()
}

func newPolicyHistory(t Terminal) *cobra.Command {
	cmd, c := newPolicyCommand(t, &cobra.Command{
		Use: "history --app ORG/APP", Short: "List what was done to a policy, the latest first", Args: arguments(0, 0, "none"),
	}, (*policyCommand).named, (*policyCommand).history)
	c.about.bind(cmd.Flags())
	return cmd
}

func (c *policyCommand) history(ctx context.Context, service behalfv1.PolicyServiceClient) error {
	all := &behalfv1.ListPolicyHistoryResponse{}
	for more := true; more; more = all.GetNextPageToken() != "" {
		page, err := service.ListPolicyHistory(ctx, &behalfv1.ListPolicyHistoryRequest{Ref: c.ref, PageSize: policyPage, PageToken: all.GetNextPageToken()})
		if err != nil {
			return err
		}
		page.Changes = append(all.GetChanges(), page.GetChanges()...)
		all = page
	}
	if c.output == "json" {
		return printJSON(c.Out, all)
	}
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tCHANGE\tETAG\tCHANGED\tBY")
	for _, change := range all.GetChanges() {
		kind := strings.ToLower(strings.TrimPrefix(change.GetKind().String(), "POLICY_CHANGE_KIND_"))
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", change.GetNumber(), kind, change.GetEtag(), instantText(change.GetChangedAt()), change.GetChangedBy())
	}
	return table.Flush()
}

func instantText(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return at.AsTime().Format(time.RFC3339)
}
