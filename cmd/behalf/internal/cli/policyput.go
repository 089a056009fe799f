package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

func newPolicyPut(t Terminal) *cobra.Command {
	cmd, c := newPolicyCommand(t, &cobra.Command{
		Use:   "put --app ORG/APP FILE",
		Short: "Make a file the policy of an app, a resource or a type",
		Long: `Make a file the policy of an app, a resource or a type; "-" is standard input. A file that is no policy is
refused with all that is wrong with it, by line. What is suspicious goes to standard error: functions that
nobody knows, attributes that nothing supplies, rules that never apply.

The text never changes and is named by its SHA-256, which is printed; --if-match makes sure that nobody has
put another one meanwhile.`,
		Example: `  behalf policy put --app skd/taxreport policy.xml
  behalf policy put --resource ttd-dialog --new policy.xml
  behalf policy put --type document policy.xml`,
		Args: arguments(1, 1, "one file"),
	}, (*policyCommand).file, (*policyCommand).put)
	flags := cmd.Flags()
	c.about.bind(flags)
	flags.StringVar(&c.ifMatch, "if-match", "", "put it only when the current policy has this ETag, or * for any")
	flags.BoolVar(&c.isNew, "new", false, "put it only when there is no policy yet")
	flags.BoolVar(&c.anyOf, "altinn-anyof", false, "read this policy as Altinn's engine does: several AnyOf of one category are joined by OR")
	return cmd
}

// file looks at what is put for what.
func (c *policyCommand) file(args []string) (err error) {
	if err := c.named(args); err != nil {
		return err
	}
	c.from = args[0]
	c.text, err = c.readAll(c.from)
	return err
}

func (c *policyCommand) put(ctx context.Context, service behalfv1.PolicyServiceClient) error {
	request := &behalfv1.PutPolicyRequest{Ref: c.ref, Text: c.text, AnyOfPerCategory: c.anyOf, IfMatch: c.ifMatch}
	if c.isNew {
		request.IfNoneMatch = "*"
	}
	answer, err := service.PutPolicy(ctx, request)
	if err != nil {
		return c.notPut(err)
	}
	printFindings(c.Err, c.from, "warning", answer.GetWarnings())
	printFindings(c.Err, c.from, "taken nevertheless", answer.GetFaults())
	if c.output == "json" {
		return printJSON(c.Out, answer)
	}
	_, err = fmt.Fprintln(c.Out, answer.GetEtag())
	return err
}

// notPut explains why a file was not put: one line for each thing that is wrong with it.
func (c *policyCommand) notPut(err error) error {
	reason, fields := details(status.Convert(err))
	if reason != "POLICY_INVALID" {
		return fmt.Errorf("%s: %w", c.from, c.client.explain(err))
	}
	lines := make([]error, len(fields))
	for i, field := range fields {
		lines[i] = fmt.Errorf("%s: %s (%s)", c.from, strings.TrimPrefix(field, "text: "), reason)
	}
	return errors.Join(lines...)
}

func newPolicyRollback(t Terminal) *cobra.Command {
	cmd, c := newPolicyCommand(t, &cobra.Command{
		Use:   "rollback --app ORG/APP",
		Short: "Make an earlier version of a policy current again",
		Long: `Make an earlier version of a policy current again: the one that --etag names, or the latest that is not
current. A policy that was deleted comes back. Decisions follow with the next call, on every server.`,
		Example: "  behalf policy rollback --app skd/taxreport",
		Args:    arguments(0, 0, "none"),
	}, (*policyCommand).named, (*policyCommand).rollback)
	c.about.bind(cmd.Flags())
	cmd.Flags().StringVar(&c.etag, "etag", "", "the version, as `behalf policy history` shows it; the latest other one when absent")
	cmd.Flags().StringVar(&c.ifMatch, "if-match", "", "do it only when the current policy has this ETag")
	return cmd
}

func (c *policyCommand) rollback(ctx context.Context, service behalfv1.PolicyServiceClient) error {
	answer, err := service.RollbackPolicy(ctx, &behalfv1.RollbackPolicyRequest{Ref: c.ref, Etag: c.etag, IfMatch: c.ifMatch})
	if err != nil {
		return err
	}
	if c.output == "json" {
		return printJSON(c.Out, answer)
	}
	_, err = fmt.Fprintln(c.Out, answer.GetEtag())
	return err
}

func newPolicyDelete(t Terminal) *cobra.Command {
	cmd, c := newPolicyCommand(t, &cobra.Command{
		Use:     "delete --app ORG/APP",
		Short:   "Take a policy away; its history stays",
		Long:    "Take a policy away: what it decided about is open to nobody from the next call on. Its texts and its history\nstay, and `behalf policy rollback` brings it back.",
		Example: "  behalf policy delete --resource ttd-dialog",
		Args:    arguments(0, 0, "none"),
	}, (*policyCommand).named, (*policyCommand).delete)
	c.about.bind(cmd.Flags())
	cmd.Flags().StringVar(&c.ifMatch, "if-match", "", "do it only when the current policy has this ETag")
	return cmd
}

func (c *policyCommand) delete(ctx context.Context, service behalfv1.PolicyServiceClient) error {
	answer, err := service.DeletePolicy(ctx, &behalfv1.DeletePolicyRequest{Ref: c.ref, IfMatch: c.ifMatch})
	if err != nil {
		return err
	}
	if c.output == "json" {
		return printJSON(c.Out, answer)
	}
	return nil
}
