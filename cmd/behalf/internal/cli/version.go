package cli

import (
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/schema/relations"
)

// build is what `behalf version` shows.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, when it was built from a clone
	Modified bool   `json:"modified,omitempty"` // whether the clone had changes
	Go       string `json:"go"`
	Schema   int    `json:"schema"` // version of the relations schema
}

func newVersion(t Terminal) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use: "version", Short: "Show the version", Args: arguments(0, 0, "none"),
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			if out == "json" {
				return json.NewEncoder(t.Out).Encode(b)
			}
			_, err := fmt.Fprintf(t.Out, "behalf %s (%s, relations schema %d)\n", b.Version, b.Go, b.Schema)
			return err
		},
	}
	out.bind(cmd.Flags())
	return cmd
}

func thisBuild() build {
	b := build{Version: "unknown", Schema: relations.Version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version, b.Go = info.Main.Version, info.GoVersion
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
