package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/policytest"
)

// policyTestCommand is `behalf policy test`.
type policyTestCommand struct {
	Terminal
	output     output
	evaluation evaluationFlags
	coverage   float64
}

func newPolicyTest(t Terminal) *cobra.Command {
	c := &policyTestCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "test DIR",
		Short: "Run a folder of requests against policies, and say which rules took part",
		Long: `Run a folder of requests against policies, compare the answers with what is expected, and say which rules
never took part with their effect. No server is asked. The exit code is 1 when an answer is not as expected,
or fewer rules took part than --coverage asks for.

A case is a folder, at any depth, with a request.xml or request.json. Its policies are policy*.xml beside it
or, when there are none, in the nearest folder above; policies that these refer to are ref*.xml, found the
same way. What is expected is in the case's own folder:
  expected.txt   a decision a line, one for each question: Permit, Deny, NotApplicable or Indeterminate
  expected.json  {"decision": "Permit", "status": "ok", "obligations": ["ID"], "advice": []}, or a list of
                 these, or a XACML response; what is left out is not compared
  expected.xml   a XACML response`,
		Example: "  behalf policy test --coverage 100 policies/skd/taxreport",
		Args:    arguments(1, 1, "one folder"),
		RunE:    func(_ *cobra.Command, args []string) error { return c.run(args[0]) },
	}
	flags := cmd.Flags()
	c.output.bind(flags)
	flags.Float64Var(&c.coverage, "coverage", 0, "how many per cent of the rules must take part")
	c.evaluation.bind(flags)
	return cmd
}

func (c *policyTestCommand) run(dir string) error {
	options, err := c.evaluation.options()
	if err != nil {
		return err
	}
	if c.coverage < 0 || c.coverage > 100 {
		return usagef("--coverage: %v is not a percentage", c.coverage)
	}
	cases, err := policytest.Find(dir)
	if err != nil {
		return err
	}
	report, err := policytest.Run(cases, options)
	if err != nil {
		return err
	}
	if c.output == "json" {
		err = printIndented(c.Out, report)
	} else {
		c.print(report)
	}
	if err == nil && (report.Failed > 0 || report.Coverage() < c.coverage) {
		err = &exitError{code: exitFailed}
	}
	return err
}

func (c *policyTestCommand) print(r policytest.Report) {
	for _, o := range r.Cases {
		for _, difference := range o.Differences {
			fmt.Fprintf(c.Out, "FAIL %s: %s\n", o.Case, difference)
		}
	}
	for _, rule := range r.Never {
		fmt.Fprintf(c.Out, "never applied: %s:%d: rule %s\n", rule.File, rule.Line, rule.ID)
	}
	fmt.Fprintf(c.Out, "%d of %d cases as expected; %d of %d rules applied (%.0f %%)\n",
		r.Passed, r.Passed+r.Failed, r.Applied, r.Rules, r.Coverage())
}
