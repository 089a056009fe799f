package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// decideCommand is `behalf decide`.
type decideCommand struct {
	Terminal
	client   client
	output   output
	at       moment
	explain  bool
	exitCode bool
	request  string
	question decideQuestion
}

func newDecide(t Terminal) *cobra.Command {
	c := &decideCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "decide --user USER --party PARTY --app ORG/APP --action ACTION",
		Short: "Ask whether a subject may do an action on a resource",
		Long: `Ask whether a subject may do an action on an app or resource, by its policy, by what was delegated and by
access lists. The first line is the decision, then why, then the obligations. Every decision is an
answer, with exit code 0; with --exit-code everything but Permit has exit code 4.

--explain says what each rule wanted, which relationships gave which role, and what would have been needed.
It needs the scope behalf:policy.write or behalf:audit.read.

--request sends a request of XACML 3.0 instead, JSON or XML by its first character, and prints the response.`,
		Example: `  behalf decide --user 20001337 --party 50076451 --app skd/taxreport --action read --explain
  behalf decide --system-user 47caea5b-a80b-4343-b1d3-31eb523a4e28 --party 50005545 --resource ttd-dialog --action read
  behalf decide --user 20001337 --instance 50005545/f8d3526c-596b-4322-a041-38a8925c2a82 --action sign
  behalf decide --request request.json`,
		Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	c.client.bind(flags)
	c.output.bind(flags)
	c.at.bind(flags)
	flags.BoolVar(&c.explain, "explain", false, "say how the decision came about")
	flags.BoolVar(&c.exitCode, "exit-code", false, "exit with 4 when the decision is no Permit")
	flags.StringVar(&c.request, "request", "", "file with a request of XACML 3.0; - is standard input")
	c.question.bind(flags)
	return cmd
}

func (c *decideCommand) run(ctx context.Context) error {
	conn, err := c.client.dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	service := behalfv1.NewDecisionServiceClient(conn)
	if c.request != "" {
		return c.send(ctx, service)
	}
	question, err := c.question.message()
	if err != nil {
		return err
	}
	request := &behalfv1.DecideRequest{Question: question, Explain: c.explain}
	if request.AtTime, request.AtRevision, err = c.at.parse(); err != nil {
		return err
	}
	ctx, cancel := c.at.context(ctx)
	defer cancel()
	answer, err := service.Decide(ctx, request)
	if err != nil {
		return c.client.explain(err)
	}
	if c.output == "json" {
		err = printJSON(c.Out, answer)
	} else {
		err = printDecision(c.Out, answer.GetDecision())
	}
	return c.exit(err, answer.GetDecision().GetEffect() == behalfv1.Effect_EFFECT_PERMIT)
}

// send sends a request of XACML and prints the response as it is.
func (c *decideCommand) send(ctx context.Context, service behalfv1.DecisionServiceClient) error {
	if c.explain || c.at.text != "" {
		return usagef("--request: goes without --explain and --at")
	}
	body, err := c.read()
	if err != nil {
		return err
	}
	contentType := "application/xml"
	if strings.HasPrefix(strings.TrimSpace(string(body)), "{") {
		contentType = "application/json"
	}
	answer, err := service.DecideXACML(ctx, &behalfv1.DecideXACMLRequest{Body: body, ContentType: contentType})
	if err != nil {
		return c.client.explain(err)
	}
	_, err = fmt.Fprintf(c.Out, "%s\n", answer.GetBody())
	return c.exit(err, answer.GetPermitted())
}

func (c *decideCommand) read() ([]byte, error) {
	if c.request == "-" {
		return io.ReadAll(c.In)
	}
	body, err := os.ReadFile(c.request)
	if err != nil {
		return nil, fmt.Errorf("--request: %w", err)
	}
	return body, nil
}

func (c *decideCommand) exit(err error, permitted bool) error {
	if err == nil && c.exitCode && !permitted {
		return &exitError{code: exitDenied}
	}
	return err
}

// effectName returns the decision as XACML writes it.
func effectName(e behalfv1.Effect) string {
	switch e {
	case behalfv1.Effect_EFFECT_PERMIT:
		return "Permit"
	case behalfv1.Effect_EFFECT_DENY:
		return "Deny"
	case behalfv1.Effect_EFFECT_NOT_APPLICABLE:
		return "NotApplicable"
	case behalfv1.Effect_EFFECT_UNSPECIFIED:
	}
	return "Indeterminate"
}

// printDecision prints a decision for people.
func printDecision(out io.Writer, d *behalfv1.Decision) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\nbecause %s\n", effectName(d.GetEffect()), d.GetReason())
	for _, o := range d.GetObligations() {
		for _, a := range o.GetAssignments() {
			fmt.Fprintf(&text, "obligation %s: %s = %s\n", o.GetId(), a.GetCategory(), a.GetValue())
		}
	}
	for _, m := range d.GetMissing() {
		fmt.Fprintf(&text, "missing %s in %s\n", m.GetId(), m.GetCategory())
	}
	if e := d.GetExplanation(); e != nil {
		describe(&text, d, e)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// describe writes an explanation.
func describe(text *strings.Builder, d *behalfv1.Decision, e *behalfv1.Explanation) {
	fmt.Fprintf(text, "\npolicy %s version %s, text %s\n", e.GetPolicy(), e.GetPolicyVersion(), d.GetPolicy())
	for _, p := range e.GetParts() {
		indent := strings.Repeat("  ", int(p.GetDepth()))
		fmt.Fprintf(text, "%s%s %s (line %d): %s\n", indent, strings.ToLower(p.GetKind()), p.GetId(), p.GetLine(), p.GetDecision())
		for _, f := range p.GetFailed() {
			fmt.Fprintf(text, "%s  wants %s\n", indent, f)
		}
		if p.GetCondition() != "" {
			fmt.Fprintf(text, "%s  its condition is %s\n", indent, p.GetCondition())
		}
	}
	bySteps := map[string][]string{}
	var order []string
	for _, p := range e.GetPaths() {
		steps := strings.Join(p.GetSteps(), ", ")
		if bySteps[steps] == nil {
			order = append(order, steps)
		}
		bySteps[steps] = append(bySteps[steps], p.GetGives())
	}
	for _, steps := range order {
		fmt.Fprintf(text, "%s\n  gives %s\n", steps, strings.Join(bySteps[steps], " "))
	}
	for _, w := range e.GetWanted() {
		fmt.Fprintf(text, "would need %s: %s\n", w.GetId(), strings.Join(w.GetValues(), " or "))
	}
	if e.GetRequiredLevel() > 0 {
		fmt.Fprintf(text, "needs authentication level %s\n", strconv.Itoa(int(e.GetRequiredLevel())))
	}
}
