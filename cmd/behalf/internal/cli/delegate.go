package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

func newDelegate(t Terminal) *cobra.Command {
	return group("delegate", "Pass on what a party has, and take it back",
		newDelegateGrant(t), newDelegateRevoke(t), newDelegateList(t), newDelegateCheck(t))
}

// delegateCommand is what the commands below `behalf delegate` have in common.
type delegateCommand struct {
	Terminal
	client client
	output output
	user   int64
}

// bound binds the flags that all of them have.
func (c *delegateCommand) bound(cmd *cobra.Command, whose string) *cobra.Command {
	c.client.bind(cmd.Flags())
	c.output.bind(cmd.Flags())
	cmd.Flags().Int64Var(&c.user, "user", 0, whose)
	return cmd
}

// call asks a running server or, when none runs, the data directory itself.
func (c *delegateCommand) call(ctx context.Context, f func(behalfv1.DelegationServiceClient) error) error {
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, _ *progress) error {
		return f(behalfv1.NewDelegationServiceClient(conn))
	})
}

// grantCommand is `behalf delegate grant`.
type grantCommand struct {
	delegateCommand
	from, to, provider, pkg, expiresAt string
	right                              behalfv1.Right
}

func newDelegateGrant(t Terminal) *cobra.Command {
	c := &grantCommand{delegateCommand: delegateCommand{Terminal: t}}
	cmd := c.bound(&cobra.Command{
		Use:   "grant --from PARTY --to RECEIVER (--package CODE | --resource ID --action ACTION)",
		Short: "Give somebody a right or an access package of a party",
		Long: `Give somebody a right or an access package of a party. A party is party:<partyId>, org:<organisation number>,
nin:<national identity number> or uuid:<UUID>; a receiver is one of these or systemuser:<UUID>.

With --provider the package is one of a client (--from) that its accountant, auditor or business manager passes
on to its own agent. To give the same again changes when it ends. The delegation's id is printed.`,
		Example: `  behalf delegate grant --from org:910042963 --to nin:07124912037 --resource app_skd_taxreport --action read
  behalf delegate grant --from org:910042963 --to org:910042971 --package jordbruk --expires-at 2030-12-31T23:59:59Z
  behalf delegate grant --from org:910042963 --provider org:910042998 --to nin:07124912037 --package regnskapsforer-lonn`,
		Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}, "the user who gives (default: whoever the token is for; a service then gives in its own name)")
	flags := cmd.Flags()
	flags.StringVar(&c.from, "from", "", "the party that gives; with --provider its client")
	flags.StringVar(&c.to, "to", "", "who is given it")
	flags.StringVar(&c.provider, "provider", "", "the provider that passes on what it has of its client")
	flags.StringVar(&c.pkg, "package", "", "an access package: a code or URN")
	flags.StringVar(&c.right.Resource, "resource", "", "a resource's id, or app_<org>_<app>")
	flags.StringVar(&c.right.Action, "action", "", "what may be done with it, such as read")
	flags.StringVar(&c.right.Instance, "instance", "", "only with this instance")
	flags.StringVar(&c.right.Task, "task", "", "only in this task")
	flags.StringVar(&c.expiresAt, "expires-at", "", "when it ends, such as 2030-12-31T23:59:59Z (default: when it is taken back)")
	return cmd
}

func (c *grantCommand) run(ctx context.Context) error {
	from, fromErr := partyReference("--from", c.from)
	to, toErr := receiver("--to", c.to)
	expires, expiresErr := expiry(c.expiresAt)
	var provider *behalfv1.PartyReference
	var providerErr, whatErr error
	if c.provider != "" {
		provider, providerErr = partyReference("--provider", c.provider)
	}
	switch hasRight := c.right.Resource != "" || c.right.Action != ""; {
	case c.pkg == "" && (c.right.Resource == "" || c.right.Action == ""):
		whatErr = errors.New("name what is given: --package CODE, or --resource ID and --action ACTION")
	case c.pkg != "" && hasRight:
		whatErr = errors.New("--package and --resource are two delegations; give one at a time")
	case c.provider != "" && hasRight:
		whatErr = errors.New("--provider goes with --package: single rights of clients are not passed on")
	}
	if err := errors.Join(fromErr, toErr, providerErr, expiresErr, whatErr); err != nil {
		return usage(err)
	}
	return c.call(ctx, func(service behalfv1.DelegationServiceClient) error {
		var (
			answer interface {
				GetDelegation() *behalfv1.Delegation
			}
			err error
		)
		switch {
		case provider != nil:
			answer, err = service.GrantClientPackage(ctx, &behalfv1.GrantClientPackageRequest{
				Client: from, Provider: provider, Agent: to, Package: c.pkg, ExpiresAt: expires, UserId: c.user,
			})
		case c.pkg != "":
			answer, err = service.GrantPackage(ctx, &behalfv1.GrantPackageRequest{From: from, To: to, Package: c.pkg, ExpiresAt: expires, UserId: c.user})
		default:
			answer, err = service.GrantRight(ctx, &behalfv1.GrantRightRequest{From: from, To: to, Right: &c.right, ExpiresAt: expires, UserId: c.user})
		}
		if err != nil {
			return err
		}
		if c.output == "json" {
			return printJSON(c.Out, answer.GetDelegation())
		}
		_, err = fmt.Fprintln(c.Out, answer.GetDelegation().GetId())
		return err
	})
}

func newDelegateRevoke(t Terminal) *cobra.Command {
	c := &delegateCommand{Terminal: t}
	return c.bound(&cobra.Command{
		Use:   "revoke ID…",
		Short: "Take delegations back",
		Long: `Take delegations back, by the ids that grant and list print. It takes effect in the next call. What is not
there is taken back already.`,
		Example: "  behalf delegate revoke qk5jz6x2m4h7w3c5v2d4e6f7ga",
		Args:    arguments(1, -1, "at least one id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.call(cmd.Context(), func(service behalfv1.DelegationServiceClient) error {
				for _, id := range args {
					if _, err := service.RevokeDelegation(cmd.Context(), &behalfv1.RevokeDelegationRequest{Id: id, UserId: c.user}); err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
				}
				return nil
			})
		},
	}, "the user who takes them back (default: whoever the token is for; a service then acts in its own name)")
}

// expiry reads a time, nil when it is empty.
func expiry(text string) (*timestamppb.Timestamp, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no end is an end that can be asked for
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, fmt.Errorf("--expires-at: %q is not a time, such as 2030-12-31T23:59:59Z", text)
	}
	return timestamppb.New(at), nil
}

func receiver(flag, text string) (*behalfv1.Receiver, error) {
	if id, ok := strings.CutPrefix(text, "systemuser:"); ok {
		return &behalfv1.Receiver{Receiver: &behalfv1.Receiver_SystemUserId{SystemUserId: id}}, nil
	}
	p, err := partyReference(flag, text)
	return &behalfv1.Receiver{Receiver: &behalfv1.Receiver_Party{Party: p}}, err
}

func partyReference(flag, text string) (*behalfv1.PartyReference, error) {
	scheme, value, _ := strings.Cut(text, ":")
	switch {
	case value == "":
	case scheme == "party":
		if id, err := strconv.ParseInt(value, 10, 64); err == nil && id > 0 {
			return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyId{PartyId: id}}, nil
		}
	case scheme == "uuid":
		return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_PartyUuid{PartyUuid: value}}, nil
	case scheme == "org":
		return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_OrgNumber{OrgNumber: value}}, nil
	case scheme == "nin":
		return &behalfv1.PartyReference{Identifier: &behalfv1.PartyReference_NationalId{NationalId: value}}, nil
	}
	return nil, fmt.Errorf("%s: %q names no party; want party:<party id>, org:<organisation number>, nin:<national identity number> or uuid:<UUID>", flag, text)
}
