package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/server/policyfile"
)

// policyValidateCommand is `behalf policy validate`.
type policyValidateCommand struct {
	Terminal
	output output
	about  aboutFlags
	anyOf  bool
}

func newPolicyValidate(t Terminal) *cobra.Command {
	c := &policyValidateCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Say what is wrong with policies, and what is suspicious",
		Long: `Say what is wrong with policies, and what is suspicious, by file and line, as an upload does. No server is
asked. With --app, --resource or --type, rules about something else are found, too. The exit code is 1 when
a file is no policy; warnings alone leave it at 0.`,
		Example: "  behalf policy validate --app skd/taxreport policy.xml",
		Args:    arguments(1, -1, "at least one file"),
		RunE:    func(_ *cobra.Command, args []string) error { return c.run(args) },
	}
	c.output.bind(cmd.Flags())
	c.about.bind(cmd.Flags())
	anyOfFlag(cmd.Flags(), &c.anyOf)
	return cmd
}

// validated is what was found in one file.
type validated struct {
	File     string               `json:"file"`
	Valid    bool                 `json:"valid"`
	Faults   []policyfile.Finding `json:"faults"`
	Warnings []policyfile.Finding `json:"warnings"`
}

func (c *policyValidateCommand) run(names []string) error {
	ref, err := c.about.ref(true)
	if err != nil {
		return err
	}
	about := policyfile.About{Org: ref.GetOrg(), App: ref.GetApp(), Resource: ref.GetResource(), Type: ref.GetType()}
	var all []validated
	invalid := 0
	for _, name := range names {
		text, err := c.readAll(name)
		if err != nil {
			return err
		}
		faults, warnings, err := policyfile.Check(text, about, c.anyOf)
		if err != nil {
			return err
		}
		if len(faults) > 0 {
			invalid++
		}
		all = append(all, validated{File: name, Valid: len(faults) == 0, Faults: faults, Warnings: warnings})
	}
	if err := c.print(all); err != nil {
		return err
	}
	if invalid > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

func (c *policyValidateCommand) print(all []validated) error {
	if c.output == "json" {
		return printIndented(c.Out, all)
	}
	for _, v := range all {
		for _, f := range v.Faults {
			fmt.Fprintf(c.Out, "%s: %s\n", place(v.File, f.Line, f.Element, ""), f.Message)
		}
		for _, f := range v.Warnings {
			fmt.Fprintf(c.Out, "%s: %s\n", place(v.File, f.Line, f.Element, "warning"), f.Message)
		}
	}
	return nil
}

// policyEvaluateCommand is `behalf policy evaluate`.
type policyEvaluateCommand struct {
	Terminal
	policies, references []string
	request              string
	evaluation           evaluationFlags
}

func newPolicyEvaluate(t Terminal) *cobra.Command {
	c := &policyEvaluateCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "evaluate --policy FILE --request FILE",
		Short: "Evaluate a request against policies in files",
		Long: `Evaluate a XACML request against policies in files, and print the response: XML for a request in XML, JSON
for one in JSON. No server is asked: what is not in the request is not there. Any decision is an answer, with
exit code 0.

Of several policies the only one whose target applies decides; more than one is Indeterminate. References are
found by id and version among the files of --reference. A policy that cannot be read is Indeterminate when it
is needed, and so is everything when the request cannot be read; the status says why.`,
		Example: `  behalf policy evaluate --policy policy.xml --request request.json
  behalf policy evaluate --policy set.xml --reference a.xml --reference b.xml --request request.xml`,
		Args: arguments(0, 0, "none"),
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&c.policies, "policy", nil, "file of a policy or policy set; may be given several times")
	flags.StringArrayVar(&c.references, "reference", nil, "file of a policy or set that others refer to; may be given several times")
	flags.StringVar(&c.request, "request", "", "file of the request, in XML or JSON; - for standard input")
	c.evaluation.bind(flags)
	return cmd
}

func (c *policyEvaluateCommand) run() error {
	if len(c.policies) == 0 || c.request == "" {
		return usage(errors.New("give --policy and --request"))
	}
	options, err := c.evaluation.options()
	if err != nil {
		return err
	}
	policies, policiesErr := c.texts(c.policies)
	references, referencesErr := c.texts(c.references)
	request, requestErr := c.readAll(c.request)
	if err := errors.Join(policiesErr, referencesErr, requestErr); err != nil {
		return err
	}
	answer, err := policyfile.Load(policies, references, options).Evaluate(request)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "%s\n", answer.Body)
	return err
}

// texts reads files, and reports all that cannot be read.
func (t Terminal) texts(names []string) ([]policyfile.Text, error) {
	var texts []policyfile.Text
	var faults []error
	for _, name := range names {
		data, err := t.readAll(name)
		faults = append(faults, err)
		texts = append(texts, policyfile.Text{Name: name, Data: data})
	}
	return texts, errors.Join(faults...)
}

// printIndented prints a value as JSON.
func printIndented(out interface{ Write([]byte) (int, error) }, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}
