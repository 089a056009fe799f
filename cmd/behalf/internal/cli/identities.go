package cli

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// identitiesCommand is what the commands below `behalf identities` share.
type identitiesCommand struct {
	Terminal
	client client
	output output

	user   int64
	issuer string
}

func newIdentities(t Terminal) *cobra.Command {
	return group("identities", "Say which user a login at an identity provider is",
		newIdentitiesList(t), newIdentitiesLink(t), newIdentitiesUnlink(t))
}

func newIdentitiesList(t Terminal) *cobra.Command {
	c := &identitiesCommand{Terminal: t}
	cmd := &cobra.Command{
		Use: "list", Short: "List the logins that are users", Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.call(cmd.Context(), c.list) },
	}
	flags := cmd.Flags()
	c.client.bind(flags)
	c.output.bind(flags)
	flags.Int64Var(&c.user, "user", 0, "those that are this user (default: any)")
	flags.StringVar(&c.issuer, "issuer", "", "those of this identity provider, by its iss (default: any)")
	return cmd
}

func newIdentitiesLink(t Terminal) *cobra.Command {
	c := &identitiesCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "link ISSUER SUBJECT USER",
		Short: "Let a login be a user",
		Long: `Let a login be a user, in the place of whom it was before. ISSUER and SUBJECT are the iss and sub of the
provider's tokens. The login has the user's rights at its next request; the audit records keep who did it.`,
		Example: "  behalf identities link https://login.example.no 8f2c1d 20000490",
		Args:    arguments(3, 3, "the issuer, its subject, and the id of the user"),
		RunE: func(cmd *cobra.Command, args []string) error {
			user, err := strconv.ParseInt(args[2], 10, 64)
			if err != nil || user <= 0 {
				return usagef("%q is no user id", args[2])
			}
			return c.call(cmd.Context(), func(ctx context.Context, service behalfv1.IdentityServiceClient) error {
				return c.link(ctx, service, &behalfv1.Identity{Issuer: args[0], Subject: args[1], UserId: user})
			})
		},
	}
	c.client.bind(cmd.Flags())
	return cmd
}

func newIdentitiesUnlink(t Terminal) *cobra.Command {
	c := &identitiesCommand{Terminal: t}
	cmd := &cobra.Command{
		Use: "unlink ISSUER SUBJECT", Short: "Let a login be nobody",
		Long: `Let a login be nobody. Of an issuer that provisions it is the user again, at its next call, that was made of it:
end the login at the provider, or take "provision" from its entry first.`,
		Args: arguments(2, 2, "the issuer and its subject"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), func(ctx context.Context, service behalfv1.IdentityServiceClient) error {
				was, err := service.UnlinkIdentity(ctx, &behalfv1.UnlinkIdentityRequest{Issuer: args[0], Subject: args[1]})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.Out, "%s was user %d and is nobody now\n", args[1], was.GetPreviousUserId())
				return err
			})
		},
	}
	c.client.bind(cmd.Flags())
	return cmd
}

// call calls the service of the running server or of the data directory.
func (c *identitiesCommand) call(ctx context.Context, do func(context.Context, behalfv1.IdentityServiceClient) error) error {
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, _ *progress) error {
		return do(ctx, behalfv1.NewIdentityServiceClient(conn))
	})
}

func (c *identitiesCommand) link(ctx context.Context, service behalfv1.IdentityServiceClient, i *behalfv1.Identity) error {
	was, err := service.LinkIdentity(ctx, &behalfv1.LinkIdentityRequest{Identity: i})
	if err != nil {
		return err
	}
	before := "nobody"
	if was.GetPreviousUserId() != 0 {
		before = "user " + strconv.FormatInt(was.GetPreviousUserId(), 10)
	}
	_, err = fmt.Fprintf(c.Out, "%s was %s and is user %d now\n", i.GetSubject(), before, i.GetUserId())
	return err
}

// list shows all pages.
func (c *identitiesCommand) list(ctx context.Context, service behalfv1.IdentityServiceClient) error {
	all := &behalfv1.ListIdentitiesResponse{}
	request := &behalfv1.ListIdentitiesRequest{UserId: c.user, Issuer: c.issuer, PageSize: 1000}
	for {
		page, err := service.ListIdentities(ctx, request)
		if err != nil {
			return err
		}
		all.Identities = append(all.Identities, page.GetIdentities()...)
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}
	if c.output == "json" {
		return printJSON(c.Out, all)
	}
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USER\tISSUER\tSUBJECT")
	for _, i := range all.GetIdentities() {
		fmt.Fprintf(table, "%d\t%s\t%s\n", i.GetUserId(), i.GetIssuer(), i.GetSubject())
	}
	return table.Flush()
}
