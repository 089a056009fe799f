package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/native"
)

// exportCommand is `behalf export`.
type exportCommand struct {
	Terminal
	client client
}

func newExport(t Terminal) *cobra.Command {
	c := &exportCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write the register to files of our own format",
		Long: `Write what each source says of parties and assignments to a file of its own in the native format
(schema/NATIVE.md), as of one state, with the identifiers that the server gave, each policy to a file below
policies, and instances of apps and roles in estates to information.jsonl. The directory must not exist, or be empty. Importing it into an empty register comes to the same
parties, with the same identifiers, the same roles and the same policies.

API keys, relationships that were written through authzed.api.v1, schemas of your own and history are not in
it: behalf backup copies those as well. Where two sources say different things of one party and it is not the
same one that was written last everywhere, the file that comes first wins.`,
		Example: "  behalf export register\n  behalf import register",
		Args:    arguments(1, 1, "the directory to write to"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args[0]) },
	}
	c.client.bind(cmd.Flags())
	return cmd
}

func (c *exportCommand) run(ctx context.Context, dir string) error {
	if err := emptyDir(dir); err != nil {
		return err
	}
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, bar *progress) error { return c.export(ctx, conn, dir, bar) })
}

func (c *exportCommand) export(ctx context.Context, conn grpc.ClientConnInterface, dir string, bar *progress) error {
	// Beside it until it is whole: a part of an export would take the rest away on import.
	partial, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), "."+filepath.Base(dir)+"-*.tmp")
	if err != nil {
		return err
	}
	files := &exportFiles{dir: partial, progress: func(done, total int64) { bar.show("exporting", done, total) }}
	err = errors.Join(c.client.explain(receiveExport(ctx, behalfv1.NewStoreServiceClient(conn), files)), files.close())
	policies := 0
	if err == nil {
		policies, err = exportPolicies(ctx, behalfv1.NewPolicyServiceClient(conn), partial)
		err = c.client.explain(err)
	}
	if err == nil {
		err = c.client.explain(exportInformation(ctx, behalfv1.NewInformationServiceClient(conn), partial))
	}
	if err == nil {
		err = os.Rename(partial, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(partial))
	}
	bar.end()
	fmt.Fprintf(c.Out, "%s: %d parties and assignments of %d sources, %d policies\n", dir, files.done, len(files.sources), policies)
	return nil
}

// emptyDir refuses a directory that has something in it.
func emptyDir(dir string) error {
	left, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(left) > 0:
		return fmt.Errorf("%s is not empty: it has %s; name a directory that is, or is not there", dir, left[0].Name())
	}
	return nil
}

func receiveExport(ctx context.Context, service behalfv1.StoreServiceClient, files *exportFiles) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := service.Export(ctx, &behalfv1.ExportRequest{})
	if err != nil {
		return err
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return files.whole()
		}
		if err != nil {
			return err
		}
		if h := answer.GetHeader(); h != nil {
			files.sources, files.total = h.GetSources(), h.GetParties()+h.GetAssignments()+h.GetDelegations()+h.GetRegistered()
		}
		if b := answer.GetBatch(); b != nil {
			if err := files.write(b); err != nil {
				return err
			}
		}
	}
}

// exportFiles are the files of an export, of which one is open.
type exportFiles struct {
	dir         string
	sources     []string
	done, total int64
	progress    func(done, total int64)

	source string
	file   *os.File
	buffer *bufio.Writer
	lines  *native.Writer
}

func (f *exportFiles) write(b *behalfv1.ImportBatch) error {
	if f.file == nil || b.GetSource() != f.source {
		if err := f.open(b.GetSource()); err != nil {
			return err
		}
	}
	for _, e := range b.GetEntries() {
		if err := f.lines.Write(e); err != nil {
			return err
		}
	}
	f.done += int64(len(b.GetEntries()))
	f.progress(f.done, f.total)
	return nil
}

// open opens the file of the next source. Its name says which place the source has.
func (f *exportFiles) open(source string) (err error) {
	if err := f.close(); err != nil {
		return err
	}
	for place, name := range f.sources {
		if name == source {
			path := filepath.Join(f.dir, fmt.Sprintf("%02d-%s.jsonl", place+1, source))
			if f.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
				return err
			}
			f.source, f.buffer = source, bufio.NewWriterSize(f.file, 1<<16)
			f.lines, err = native.NewWriter(f.buffer, source)
			return err
		}
	}
	return fmt.Errorf("the server sent entries of source %q, which it had not named", source)
}

func (f *exportFiles) close() error {
	if f.file == nil {
		return nil
	}
	file := f.file
	f.file = nil
	return errors.Join(f.buffer.Flush(), file.Sync(), file.Close())
}

// whole fails when fewer entries came than were announced.
func (f *exportFiles) whole() error {
	if f.done != f.total {
		return fmt.Errorf("the server announced %d entries and sent %d", f.total, f.done)
	}
	return nil
}
