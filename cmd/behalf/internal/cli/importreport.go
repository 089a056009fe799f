package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// report shows an outcome. The exit code tells whether entries were refused.
func (c *importCommand) report(outcome *behalfv1.ImportOutcome, files *registerFiles) error {
	var err error
	if c.output == "json" {
		err = printJSON(c.Out, outcome)
	} else {
		err = c.reportText(outcome, files)
	}
	if err == nil && refused(outcome) > 0 {
		err = &exitError{code: exitRefused}
	}
	return err
}

func (c *importCommand) reportText(outcome *behalfv1.ImportOutcome, files *registerFiles) error {
	for _, r := range outcome.GetRefusals() {
		fmt.Fprintf(c.Err, "%s\n", refusal(r))
	}
	if more := refused(outcome) - int64(len(outcome.GetRefusals())); more > 0 {
		fmt.Fprintf(c.Err, "… and %d more\n", more)
	}
	if left := files.leftOut(); left.Resigned+left.Dead+left.StruckOff > 0 {
		fmt.Fprintf(c.Err, "left out: %d roles that were resigned, %d of the dead, %d of organisations that were struck off\n",
			left.Resigned, left.Dead, left.StruckOff)
	}
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SOURCE\tOF\tADDED\tCHANGED\tUNCHANGED\tREMOVED\tREFUSED")
	for _, s := range outcome.GetSources() {
		row(table, s.GetSource(), "parties", s.GetParties())
		row(table, s.GetSource(), "assignments", s.GetAssignments())
		for _, other := range s.GetOthers() {
			row(table, s.GetSource(), other.GetKind(), other.GetCounts())
		}
		if n := s.GetUnreadable(); n > 0 {
			fmt.Fprintf(table, "%s\tunreadable\t\t\t\t\t%d\n", s.GetSource(), n)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if outcome.GetDryRun() {
		fmt.Fprintln(c.Out, "A dry run: nothing was written.")
	}
	return nil
}

func row(table *tabwriter.Writer, source, of string, n *behalfv1.ImportCounts) {
	fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", source, of,
		n.GetAdded(), n.GetChanged(), n.GetUnchanged(), n.GetRemoved(), n.GetRefused())
}

// refusal writes a refusal as compilers write theirs, so that editors find the place.
func refusal(r *behalfv1.ImportRefusal) string {
	text := fmt.Sprintf("%s:%d: ", r.GetFile(), r.GetLine())
	if r.GetField() != "" {
		text += fileField(r.GetField()) + ": "
	}
	return text + r.GetMessage()
}

// fileField writes a field that the server names as files do: main_unit is mainUnit.
func fileField(field string) string {
	words := strings.Split(field, "_")
	for i, word := range words {
		if i > 0 && word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

func refused(outcome *behalfv1.ImportOutcome) int64 {
	var n int64
	for _, s := range outcome.GetSources() {
		n += s.GetParties().GetRefused() + s.GetAssignments().GetRefused() + s.GetUnreadable()
		for _, other := range s.GetOthers() {
			n += other.GetCounts().GetRefused()
		}
	}
	return n
}
