package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
	"github.com/behalf-authz/behalf/schema/roles"
)

// generateCommand is `behalf generate`.
type generateCommand struct {
	Terminal
	parties, rows int
	shares        world.Config // where they are not those of parties
	seed          uint64
	out           string
}

func newGenerate(t Terminal) *cobra.Command {
	c := &generateCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "generate --out DIR",
		Short: "Make an invented register for trying and testing",
		Long: `Make an invented register in the native format, and what follows from it, worked out without a server:

  ` + world.WorldFile + `   the register, for behalf import
  ` + world.OracleFile + `  questions with their answers: may this user represent that party, and in which roles;
                two in three are hits
  ` + world.UsersFile + `    users who may represent an exact number of parties, with the list: 1, and as the world
                allows 100, 1,000, 10,000 and 100,000

--parties counts parties of all kinds: 45 % are sub-units, 30 % other units, the rest persons, unless
--organisations, --sub-units or --persons say otherwise. The same numbers give the same files.

A country, in some 3 GB of memory:

  behalf generate --organisations 1200000 --sub-units 700000 --persons 5600000 --assignments 6000000 --out DIR`,
		Args: arguments(0, 0, "none"),
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	flags.IntVar(&c.parties, "parties", 2000, "number of parties")
	flags.IntVar(&c.shares.Organisations, "organisations", 0, "number of main units and estates; 0 for 30 % of --parties")
	flags.IntVar(&c.shares.SubUnits, "sub-units", 0, "number of sub-units; 0 for 45 % of --parties")
	flags.IntVar(&c.shares.Persons, "persons", 0, "number of persons; 0 for 25 % of --parties")
	flags.IntVar(&c.shares.Assignments, "assignments", 0, "least number of assignments; deputy board members make up for what lacks")
	flags.Uint64Var(&c.seed, "seed", 1, "another seed makes another register")
	flags.IntVar(&c.rows, "oracle-rows", 2000, "number of questions")
	flags.StringVar(&c.out, "out", "", "directory for the files; made when it does not exist")
	return cmd
}

func (c *generateCommand) run() error {
	switch {
	case c.out == "":
		return usagef("--out: name a directory for the files")
	case c.rows < 1:
		return usagef("--oracle-rows: %d is not a number of questions", c.rows)
	}
	catalogue, err := roles.Load()
	if err != nil {
		return fmt.Errorf("load the role catalogue: %w", err)
	}
	config := c.config()
	if err := config.Validate(); err != nil {
		return usage(fmt.Errorf("--parties: %w", err))
	}
	w, err := world.Make(config, c.out)
	if err != nil {
		return err
	}
	oracle := world.NewOracle(w, catalogue, time.Now())
	if err := oracle.Count(w); err != nil {
		return err
	}
	rows := oracle.Rows(w, c.rows, c.seed)
	if err := w.Save(c.out, rows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "%s: %d parties, %d assignments\n%s: %d questions\n%s: %d users\n",
		filepath.Join(c.out, world.WorldFile), len(w.Parties), len(w.Assignments),
		filepath.Join(c.out, world.OracleFile), len(rows),
		filepath.Join(c.out, world.UsersFile), len(w.Users))
	return err
}

// config is the world that the flags ask for.
func (c *generateCommand) config() world.Config {
	config := world.Shares(c.parties, c.seed)
	config.Organisations = cmp.Or(c.shares.Organisations, config.Organisations)
	config.SubUnits = cmp.Or(c.shares.SubUnits, config.SubUnits)
	config.Persons = cmp.Or(c.shares.Persons, config.Persons)
	config.Assignments = c.shares.Assignments
	return config
}
