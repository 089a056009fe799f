package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/server"
)

func newVerify(t Terminal) *cobra.Command {
	var dataDir, datastore string
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Prove that a database or a backup holds together",
		Long: `Prove that a database or a backup holds together: every page in use against its checksum, every index, every
row, the live relationships of every revision against its checksum, and the relationships of every party
against its records; of a data directory also every page and record of what was decided. Its server must be
stopped; a backup can be verified at any time.

What cannot be is named by file, table and page, the exit code is 1, and nothing is repaired.

Of a Postgres database, whose servers may run, the writes are named that could not be finished and were put
aside. Its pages and indexes are for its own tools, such as pg_amcheck.`,
		Example: `  behalf verify --data-dir /var/lib/behalf
  behalf verify monday.db
  behalf verify --datastore postgres://behalf@db/behalf`,
		Args: arguments(0, 1, "one file, or none for the data directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.Flags().Changed("data-dir") {
				return usagef("give a file or --data-dir, not both")
			}
			if datastore != server.DatastoreSQLite {
				if len(args) > 0 || cmd.Flags().Changed("data-dir") {
					return usagef("give a file, --data-dir or a Postgres database, one of them")
				}
				return verifyPostgres(cmd.Context(), t, datastore)
			}
			return verify(cmd.Context(), t, dataDir, args)
		},
	}
	cmd.Flags().StringVar(&dataDir, "data-dir", defaultDataDir, "data directory whose database is verified when no file is given")
	cmd.Flags().StringVar(&datastore, "datastore", server.DatastoreSQLite, "sqlite, a file, or postgres://user@host/database")
	return cmd
}

func verifyPostgres(ctx context.Context, t Terminal, uri string) error {
	if !strings.HasPrefix(uri, "postgres://") && !strings.HasPrefix(uri, "postgresql://") {
		return usagef("--datastore takes sqlite or postgres://user@host/database")
	}
	if err := server.VerifyPostgres(ctx, uri); err != nil {
		return err
	}
	fmt.Fprintln(t.Out, "no write is parked")
	return nil
}

func verify(ctx context.Context, t Terminal, dataDir string, args []string) error {
	bar := newProgress(t.Err)
	defer bar.end()
	var (
		found server.Verified
		err   error
		name  = dataDir
	)
	if len(args) > 0 {
		name = args[0]
		found, err = server.VerifyFile(ctx, name, bar.count("reading"))
	} else {
		found, err = server.VerifyDataDir(ctx, name, bar.count("reading"))
	}
	bar.end()
	if err != nil {
		return err
	}
	printVerified(t, name, found)
	return nil
}

func printVerified(t Terminal, name string, v server.Verified) {
	pages := "with their checksums"
	if !v.Sealed {
		pages = "without checksums, as an older release made them"
	}
	fmt.Fprintf(t.Out, "%s holds together: revision %d, %d revisions compared, %d relationships, %d of them by the records; pages %s\n",
		name, v.Revision, v.Revisions, v.Relationships, v.Explained, pages)
	if v.Audited > 0 {
		fmt.Fprintf(t.Out, "%d records of decisions hold together\n", v.Audited)
	}
}
