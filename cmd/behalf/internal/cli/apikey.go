package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// apiKeyCommand is what the commands below `behalf apikey` share.
type apiKeyCommand struct {
	Terminal
	client client
	output output

	name   string
	scopes []string
	ttl    time.Duration
}

func newAPIKey(t Terminal) *cobra.Command {
	return group("apikey", "Manage the keys of services", newKeyCreate(t), newKeyList(t), newKeyRevoke(t))
}

func newKeyCreate(t Terminal) *cobra.Command {
	c := &apiKeyCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:     "create --name NAME --scope SCOPE",
		Short:   "Make a key for a service",
		Long:    "Make a key for a service. It goes to standard output, cannot be shown again, and is what the service sends\nas its bearer token.",
		Example: "  behalf apikey create --name portal --scope behalf:parties.read --scope behalf:check > portal.key",
		Args:    arguments(0, 0, "none"),
		PreRunE: c.validate,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.call(cmd.Context(), c.create) },
	}
	flags := cmd.Flags()
	c.client.bind(flags)
	c.output.bind(flags)
	flags.StringVar(&c.name, "name", "", "whose key it is")
	flags.StringSliceVar(&c.scopes, "scope", nil, "what it may do, such as behalf:check")
	flags.DurationVar(&c.ttl, "ttl", 0, "how long it lasts, such as 720h (default: without end)")
	return cmd
}

func newKeyList(t Terminal) *cobra.Command {
	c := &apiKeyCommand{Terminal: t}
	cmd := &cobra.Command{
		Use: "list", Short: "List the keys, without their secrets", Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.call(cmd.Context(), c.list) },
	}
	c.client.bind(cmd.Flags())
	c.output.bind(cmd.Flags())
	return cmd
}

func newKeyRevoke(t Terminal) *cobra.Command {
	c := &apiKeyCommand{Terminal: t}
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "End a key at once", Args: arguments(1, 1, "the id of a key; behalf apikey list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), func(ctx context.Context, service behalfv1.CallerServiceClient) error {
				_, err := service.RevokeAPIKey(ctx, &behalfv1.RevokeAPIKeyRequest{Id: args[0]})
				return err
			})
		},
	}
	c.client.bind(cmd.Flags())
	return cmd
}

// call calls the server or, when none runs, the data directory's own services.
func (c *apiKeyCommand) call(ctx context.Context, do func(context.Context, behalfv1.CallerServiceClient) error) error {
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, _ *progress) error {
		return do(ctx, behalfv1.NewCallerServiceClient(conn))
	})
}

func (c *apiKeyCommand) validate(*cobra.Command, []string) error {
	var faults []error
	if c.name == "" {
		faults = append(faults, errors.New("--name: say whose key it is"))
	}
	if len(c.scopes) == 0 {
		faults = append(faults, errors.New("--scope: say what it may do, such as behalf:check"))
	}
	if c.ttl < 0 {
		faults = append(faults, fmt.Errorf("--ttl: %s is not a time to last", c.ttl))
	}
	if len(faults) > 0 {
		return usage(errors.Join(faults...))
	}
	return nil
}

func (c *apiKeyCommand) create(ctx context.Context, service behalfv1.CallerServiceClient) error {
	request := &behalfv1.CreateAPIKeyRequest{Name: c.name, Scopes: c.scopes}
	if c.ttl > 0 {
		request.ExpiresAt = timestamppb.New(time.Now().Add(c.ttl))
	}
	made, err := service.CreateAPIKey(ctx, request)
	if err != nil {
		return err
	}
	if c.output == "json" {
		return printJSON(c.Out, made)
	}
	fmt.Fprintf(c.Err, "key %s of %s; it is not shown again\n", made.GetKey().GetId(), made.GetKey().GetName())
	_, err = fmt.Fprintln(c.Out, made.GetSecret())
	return err
}

func (c *apiKeyCommand) list(ctx context.Context, service behalfv1.CallerServiceClient) error {
	answer, err := service.ListAPIKeys(ctx, &behalfv1.ListAPIKeysRequest{})
	if err != nil {
		return err
	}
	if c.output == "json" {
		return printJSON(c.Out, answer)
	}
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tCREATED\tEXPIRES\tSCOPES")
	for _, k := range answer.GetKeys() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.GetId(), k.GetName(),
			date(k.GetCreatedAt()), date(k.GetExpiresAt()), strings.Join(k.GetScopes(), " "))
	}
	return table.Flush()
}

func date(t *timestamppb.Timestamp) string {
	if t == nil {
		return "never"
	}
	return t.AsTime().Format(time.DateOnly)
}
