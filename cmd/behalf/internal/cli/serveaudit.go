package cli

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/behalf-authz/behalf/server"
)

// bindAudit binds the flags of `behalf serve` that say what is recorded of decisions.
func bindAudit(flags *pflag.FlagSet, c *server.AuditConfig) {
	flags.StringSliceVar(&c.Sinks, "audit", []string{"records"},
		"where decisions are recorded before they leave: some of records, file, stdout, separated by commas, or none; `behalf audit` searches records")
	flags.StringVar(&c.File, "audit-file", "", "JSON lines file of the sink file; it may be rotated by renaming or by truncating")
	flags.StringVar(&c.Format, "audit-format", "native", "format of file and stdout: native, or altinn for the events of Altinn's authorization")
	flags.BoolVar(&c.Sync, "audit-sync", false, "let a decision wait until its record is on the disk, not only safe from the end of the process")
	flags.BoolVar(&c.Checks, "audit-checks", false, "record checks, lists of parties and validations too")
	flags.DurationVar(&c.Retention, "audit-retention", 90*24*time.Hour, "how long the sink records keeps a record; 0 keeps all")
}
