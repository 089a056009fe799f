package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// backupCommand is `behalf backup`.
type backupCommand struct {
	Terminal
	client client
}

func newBackup(t Terminal) *cobra.Command {
	c := &backupCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the database to a file while the server runs",
		Long: `Copy the database, as of one revision, to a file that only you can read. A running server goes on to serve
and write; when none runs, the data directory is opened instead. The copy is verified before it gets its name.

It holds parties, relationships, schema, history and the hashes of API keys. It does not hold the key that
signs tokens, the admin key nor the records of decisions: those are files of the data directory. Copy the records
with "behalf audit --oldest-first --limit 0 --output json".`,
		Example: "  behalf backup monday.db\n  behalf backup --data-dir /var/lib/behalf monday.db",
		Args:    arguments(1, 1, "the file to make"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args[0]) },
	}
	c.client.bind(cmd.Flags())
	return cmd
}

func (c *backupCommand) run(ctx context.Context, name string) error {
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, bar *progress) error {
		found, err := server.KeepBackup(ctx, name, func(out io.Writer) error {
			return c.client.explain(receiveBackup(ctx, behalfv1.NewStoreServiceClient(conn), out, bar))
		}, bar.count("verifying"))
		bar.end()
		if err != nil {
			return err
		}
		printVerified(c.Terminal, name, found)
		return nil
	})
}

// receiveBackup writes a copy as the server sends it.
func receiveBackup(ctx context.Context, service behalfv1.StoreServiceClient, out io.Writer, bar *progress) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := service.Backup(ctx, &behalfv1.BackupRequest{})
	if err != nil {
		return err
	}
	var (
		size int64
		hash = sha256.New()
	)
	for {
		answer, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return errors.New("the server ended the copy before its end")
		case err != nil:
			return err
		}
		if p := answer.GetProgress(); p != nil {
			bar.show("copying", p.GetDone(), p.GetTotal())
		}
		part := answer.GetPart()
		if _, err := out.Write(part); err != nil {
			return err
		}
		_, _ = hash.Write(part) // it never fails
		size += int64(len(part))
		if len(part) > 0 {
			bar.show("receiving MB", size>>20, 0)
		}
		if end := answer.GetEnd(); end != nil {
			if end.GetSize() != size || !bytes.Equal(end.GetSha256(), hash.Sum(nil)) {
				return errors.New("the copy was damaged on its way; try again")
			}
			return nil
		}
	}
}

func newRestore(t Terminal) *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{
		Use:   "restore FILE --data-dir DIR",
		Short: "Make a data directory of a backup",
		Long: `Make a data directory of a backup. The directory must be empty or not exist, and the backup is verified
first. Revisions and cursors that were handed out by the store that was backed up are refused by the restored
one. The key that signs tokens and the admin key are made anew at the first start; to keep them, copy their
files from the old data directory. API keys go on to be good.`,
		Example: "  behalf restore monday.db --data-dir /var/lib/behalf",
		Args:    arguments(1, 1, "the backup"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dataDir == "" {
				return usagef("--data-dir: name the directory to make")
			}
			bar := newProgress(t.Err)
			defer bar.end()
			found, err := server.Restore(cmd.Context(), args[0], dataDir, bar.count("verifying"))
			bar.end()
			if err != nil {
				return err
			}
			printVerified(t, dataDir, found)
			return nil
		},
	}
	cmd.Flags().StringVar(&dataDir, "data-dir", "", "the data directory to make")
	return cmd
}
