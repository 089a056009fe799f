package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// checkCommand is `behalf check`.
type checkCommand struct {
	Terminal
	client   client
	output   output
	at       moment
	exitCode bool
}

func newCheck(t Terminal) *cobra.Command {
	c := &checkCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "check OBJECT PERMISSION SUBJECT",
		Short: "Ask whether a subject has a permission on an object",
		Long: `Ask whether a subject has a permission or relation on an object of the live schema, and print true or
false. Either is an answer, with exit code 0; with --exit-code false has exit code 4. With --at the answer is
that of then, with what had not expired then.`,
		Example: `  behalf check party:50076451 represent user:20001337
  behalf check --exit-code party:50076451 has_regn user:20001337 && echo accountant
  behalf check --at 2026-05-01T12:00:00Z party:50076451 represent user:20001337`,
		Args: arguments(3, 3, "an object, a permission and a subject"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	c.client.bind(cmd.Flags())
	c.output.bind(cmd.Flags())
	c.at.bind(cmd.Flags())
	cmd.Flags().BoolVar(&c.exitCode, "exit-code", false, "exit with 4 when the answer is false")
	return cmd
}

func (c *checkCommand) run(ctx context.Context, args []string) error {
	question, err := question(args[0], args[1], args[2])
	if err != nil {
		return err
	}
	request := &behalfv1.CheckRequest{Question: question}
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
	answer, err := behalfv1.NewCheckServiceClient(conn).Check(ctx, request)
	if err != nil {
		return c.client.explain(err)
	}
	if c.output == "json" {
		err = printJSON(c.Out, answer)
	} else {
		_, err = fmt.Fprintln(c.Out, answer.GetAllowed())
	}
	if err == nil && c.exitCode && !answer.GetAllowed() {
		err = &exitError{code: exitDenied}
	}
	return err
}

func question(object, permission, subject string) (*behalfv1.CheckQuestion, error) {
	objectType, objectID, ok := strings.Cut(object, ":")
	if !ok || objectType == "" || objectID == "" {
		return nil, usagef("OBJECT: %q is not type:id, such as party:50076451", object)
	}
	subjectType, subjectID, ok := strings.Cut(subject, ":")
	subjectID, relation, _ := strings.Cut(subjectID, "#")
	if !ok || subjectType == "" || subjectID == "" {
		return nil, usagef("SUBJECT: %q is not type:id or type:id#relation, such as user:20001337", subject)
	}
	return &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: objectType, Id: objectID},
		Permission: permission,
		Subject:    &behalfv1.SubjectReference{Type: subjectType, Id: subjectID, Relation: relation},
	}, nil
}
