package cli

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/behalf-authz/behalf/server/policyfile"
)

// anyOfFlag binds the switch that has policies read as Altinn's engine reads them.
func anyOfFlag(flags *pflag.FlagSet, anyOf *bool) {
	flags.BoolVar(anyOf, "altinn-anyof", false, "read policies as Altinn's engine does: several AnyOf of one category are joined by OR")
}

// evaluationFlags say how policies in files are evaluated.
type evaluationFlags struct {
	now   string
	anyOf bool
}

func (e *evaluationFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&e.now, "now", "", "the instant of every request, such as 2026-11-21T12:00:00Z (default: now)")
	anyOfFlag(flags, &e.anyOf)
}

func (e *evaluationFlags) options() (policyfile.Options, error) {
	options := policyfile.Options{AnyOfPerCategory: e.anyOf}
	if e.now == "" {
		return options, nil
	}
	now, err := time.Parse(time.RFC3339, e.now)
	if err != nil {
		return options, usagef("--now: %q is not an instant such as 2026-11-21T12:00:00Z", e.now)
	}
	options.Now = now
	return options, nil
}
