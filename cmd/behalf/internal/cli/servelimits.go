package cli

import (
	"github.com/spf13/pflag"

	"github.com/behalf-authz/behalf/server"
)

// bindLimits adds the flags of what callers may take of a server.
func bindLimits(flags *pflag.FlagSet, c *server.LimitsConfig) {
	flags.Float64Var(&c.Rate, "rate-limit", 0,
		"how many calls a second one caller may make: a user, a service, or an address that nothing else is known of; 0 means any number")
	flags.IntVar(&c.Burst, "rate-burst", 0, "how many of them may come at once; 0 means those of a second")
	flags.IntVar(&c.Connections, "max-connections", 0, "how many connections each port has at once before more are closed; 0 means any number")
	flags.IntVar(&c.MessageBytes, "max-message-bytes", 0, "how long a message of gRPC and a body of HTTP may be; 0 means 4 MiB")
	flags.DurationVar(&c.CallTime, "max-call-time", 0,
		"how long a call may take, whatever deadline it comes with; 0 means that, or 30 s; streams have no limit")
}
