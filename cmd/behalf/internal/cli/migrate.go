package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/behalf-authz/behalf/server"
)

// migrateCommand is what the commands below `behalf migrate` share.
type migrateCommand struct {
	Terminal
	config server.Config
	output output
	exit   bool
}

func newMigrate(t Terminal) *cobra.Command {
	return group("migrate", "Bring a database to this release", newMigrateStatus(t), newMigratePlan(t), newMigrateUp(t))
}

const migrateLayers = `A database has three layers, which are migrated in this order: records, the SQL of this program; datastore,
SpiceDB's own tables, on Postgres only; and schema, Behalf's own part of the relations schema. A data directory
with records of decisions has a fourth, audit: their file. Each migration
names the oldest program that can go on to run on the database after it, by the newest version that this
program knows; an older one is refused with a message.`

func newMigrateStatus(t Terminal) *cobra.Command {
	c := &migrateCommand{Terminal: t}
	return c.shows(&cobra.Command{
		Use:   "status",
		Short: "Show which version each layer is of",
		Long:  "Show which version each layer of a database is of. Nothing is changed, and servers may run.\n\n" + migrateLayers,
	}, c.status)
}

func newMigratePlan(t Terminal) *cobra.Command {
	c := &migrateCommand{Terminal: t}
	return c.shows(&cobra.Command{
		Use:   "plan",
		Short: "Show what a migration would do",
		Long: "Show what a migration would do, one thing a line, with the live relationships that a change of the schema\n" +
			"touches. Nothing is changed, and servers may run.\n\n" + migrateLayers,
	}, c.plan)
}

// shows makes a command of what prints how far a database is.
func (c *migrateCommand) shows(cmd *cobra.Command, text func([]server.Layer) error) *cobra.Command {
	cmd.Args = arguments(0, 0, "none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.show(cmd.Context(), text) }
	c.bind(cmd.Flags())
	cmd.Flags().BoolVar(&c.exit, "exit-code", false, fmt.Sprintf("end with %d when something is to be done", exitPending))
	return cmd
}

func newMigrateUp(t Terminal) *cobra.Command {
	c := &migrateCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Migrate a database",
		Long: `Migrate a database. It can be run again and again, and from several places at once: a lock lets one do it,
and the others find it done. On Postgres, servers of the release before go on to serve meanwhile where the
plan says that they can run afterwards. A file is copied first, beside it, named by the version that it was
of, such as behalf.v3.db; without room for the copy nothing is migrated. A server migrates its file by itself
when it starts, in the same way.

` + migrateLayers,
		Example: "  behalf migrate plan --datastore postgres://behalf@db/behalf\n  behalf migrate up --datastore postgres://behalf@db/behalf",
		Args:    arguments(0, 0, "none"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.up(cmd.Context()) },
	}
	c.bind(cmd.Flags())
	return cmd
}

func (c *migrateCommand) bind(flags *pflag.FlagSet) {
	flags.StringVar(&c.config.DataDir, "data-dir", defaultDataDir, "directory of the server's keys and data")
	flags.StringVar(&c.config.Datastore, "datastore", server.DatastoreSQLite,
		"where relations and records are: sqlite, in the data directory, or postgres://user@host/database")
	c.output.bind(flags)
}

// show prints how far a database is.
func (c *migrateCommand) show(ctx context.Context, text func([]server.Layer) error) error {
	layers, err := server.MigrationState(ctx, c.config)
	if err != nil {
		return err
	}
	if c.output == "json" {
		err = c.json(layers)
	} else {
		err = text(layers)
	}
	if err == nil && c.exit && server.Migrates(layers) {
		return &exitError{code: exitPending}
	}
	return err
}

func (c *migrateCommand) json(layers []server.Layer) error {
	for i := range layers {
		if layers[i].Pending == nil {
			layers[i].Pending = []server.Pending{} // a list, for programs
		}
	}
	e := json.NewEncoder(c.Out)
	e.SetIndent("", "  ")
	return e.Encode(layers)
}

func (c *migrateCommand) status(layers []server.Layer) error {
	w := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LAYER\tCURRENT\tWANTED\tOLDEST PROGRAM\tTO DO")
	for _, l := range layers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", l.Name, orNone(l.Current), l.Wanted, orNone(l.Oldest), len(l.Pending))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	c.refused(layers)
	return nil
}

func (c *migrateCommand) plan(layers []server.Layer) error {
	if !server.Migrates(layers) {
		fmt.Fprintln(c.Out, "nothing is to be done")
		return nil
	}
	for _, l := range layers {
		for _, p := range l.Pending {
			var notes []string
			if p.Relationships > 0 {
				notes = append(notes, fmt.Sprintf("%d live relationships", p.Relationships))
			}
			if p.Oldest != "" {
				notes = append(notes, "programs that know "+p.Oldest+" or newer can run afterwards")
			}
			fmt.Fprintf(c.Out, "%s: %s", l.Name, p.What)
			if len(notes) > 0 {
				fmt.Fprintf(c.Out, " (%s)", strings.Join(notes, "; "))
			}
			fmt.Fprintln(c.Out)
		}
	}
	c.refused(layers)
	return nil
}

// refused says why a migration would be refused.
func (c *migrateCommand) refused(layers []server.Layer) {
	for _, l := range layers {
		if l.Refused != "" {
			fmt.Fprintf(c.Out, "%s: refused: %s\n", l.Name, l.Refused)
		}
	}
}

func (c *migrateCommand) up(ctx context.Context) error {
	c.config.Logger = slog.New(slog.NewTextHandler(c.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	bar := newProgress(c.Err)
	if bar.terminal {
		c.config.Loading = bar.count("loading")
	}
	done, err := server.Migrate(ctx, c.config)
	bar.end()
	if err != nil {
		return err
	}
	after, err := server.MigrationState(ctx, c.config)
	if err != nil {
		return fmt.Errorf("look at what was migrated: %w", err)
	}
	if c.output == "json" {
		return c.json(after)
	}
	if !server.Migrates(done) {
		fmt.Fprintln(c.Out, "nothing was to be done")
		return nil
	}
	for i, l := range done {
		if len(l.Pending) > 0 {
			fmt.Fprintf(c.Out, "%s: from %s to %s\n", l.Name, orNone(l.Current), after[i].Current)
		}
	}
	return nil
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
