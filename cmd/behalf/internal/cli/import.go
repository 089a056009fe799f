package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// importCommand is `behalf import`.
type importCommand struct {
	Terminal
	client client
	output output
	open   openFlags

	addOnly, dryRun, allowRemovals bool
}

func newImport(t Terminal) *cobra.Command {
	c := &importCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "import (FILE… | DIR)",
		Short: "Bring register files, or a directory of all that a server needs, into the server",
		Long: `Bring register files into a running server or, when none runs, into the data directory itself: the native
format (schema/NATIVE.md), or the public bulk files of the Norwegian register of business enterprises. Files
are plain or gzip; "-" is standard input.

A directory holds register files of the native format, definitions of your own (*.zed), relationships of those
(*.rel) and policies (policies/apps/ORG/APP.xml, policies/resources/ID.xml, policies/types/TYPE.xml). Or it is an
altinn-world: the files that stand in for Altinn's other systems in tests of its authorization.

A file is the whole truth of its source: what an earlier file of that source said and this one does not
is removed in the same run, and what other sources say stays. A run that would remove more than 5 % of
a source stops before it writes, unless --allow-removals is given. Several files of one source count as one.
Definitions, relationships, policies, instances and roles in estates are of no source: those that a directory
lacks stay.

Entries that are refused are listed by file, line and field; the others are taken, and the exit code is 3.`,
		Example: `  behalf import world.jsonl
  behalf import --dry-run enheter.json.gz underenheter.json.gz roller.json.gz
  behalf import --format altinn-world world`,
		Args: arguments(1, -1, "at least one file"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	c.client.bind(flags)
	c.output.bind(flags)
	c.open.bind(flags)
	flags.BoolVar(&c.addOnly, "add-only", false, "remove nothing: the files are parts of their sources")
	flags.BoolVar(&c.dryRun, "dry-run", false, "compare and count, and write nothing")
	flags.BoolVar(&c.allowRemovals, "allow-removals", false, "remove more than 5 % of a source")
	return cmd
}

func (c *importCommand) run(ctx context.Context, names []string) error {
	files, with, err := c.open.openAll(names)
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }() // read only
	for _, note := range with.notes {
		fmt.Fprintln(c.Err, note)
	}
	if c.open.mergePersons != "" {
		fmt.Fprintln(c.Err, "behalf: persons are merged by name and birth date: two people who share both become one, "+
			"and each acts for the other's organisations. Use this for trials only.")
	}
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, bar *progress) error {
		outcome, err := c.carry(ctx, conn, files, with, bar)
		bar.end()
		if err != nil {
			return err
		}
		return c.report(outcome, files)
	})
}

// carry brings definitions, then what registers say, then what else the directory has, in
// the order in which they refer to each other.
func (c *importCommand) carry(ctx context.Context, conn grpc.ClientConnInterface, files *registerFiles, with *companions, bar *progress) (*behalfv1.ImportOutcome, error) {
	if !c.dryRun {
		if err := with.define(ctx, conn); err != nil {
			return nil, err
		}
	}
	outcome := &behalfv1.ImportOutcome{DryRun: c.dryRun}
	if len(files.files) > 0 {
		var err error
		if outcome, err = c.transfer(ctx, behalfv1.NewRegisterServiceClient(conn), files, bar); err != nil {
			return nil, err
		}
	}
	if c.dryRun {
		return outcome, nil
	}
	return outcome, with.bring(ctx, conn, outcome)
}

// transfer sends the files and returns the outcome. Progress is taken while they are
// sent, or a server that reports much would wait for us, and we for it.
func (c *importCommand) transfer(ctx context.Context, service behalfv1.RegisterServiceClient, files *registerFiles, bar *progress) (*behalfv1.ImportOutcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := service.Import(ctx)
	if err != nil {
		return nil, err
	}
	sent := make(chan error, 1)
	go func() {
		err := c.send(stream, files, bar)
		if err != nil && !errors.Is(err, io.EOF) {
			cancel() // the file cannot be read on: nothing may be written of it
		}
		sent <- err
	}()
	outcome, err := receive(stream, bar)
	if err != nil {
		cancel()
	}
	// What went wrong while reading is the cause of what the server says about it; a send
	// that failed with io.EOF means that the server has said why.
	if sendErr := <-sent; sendErr != nil && !errors.Is(sendErr, io.EOF) && status.Code(sendErr) == codes.Unknown {
		return nil, sendErr
	}
	return outcome, err
}

func (c *importCommand) send(stream importStream, files *registerFiles, bar *progress) error {
	err := stream.Send(&behalfv1.ImportRequest{Message: &behalfv1.ImportRequest_Header{Header: &behalfv1.ImportHeader{
		Sources: files.sources(), AddOnly: c.addOnly, DryRun: c.dryRun, AllowRemovals: c.allowRemovals,
	}}})
	if err != nil {
		return err
	}
	for _, f := range files.files {
		if err := sendFile(stream, f, func() { bar.read(files.position()) }); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

type importStream = grpc.BidiStreamingClient[behalfv1.ImportRequest, behalfv1.ImportResponse]

// A batch is at most this many entries and about this many bytes, well below what a
// server takes in one message.
const (
	batchEntries = 2_000
	batchBytes   = 1 << 20
)

func sendFile(stream importStream, f registerFile, progressed func()) error {
	batch, size := &behalfv1.ImportBatch{Source: f.Source()}, 0
	flush := func() error {
		if len(batch.Entries) == 0 {
			return nil
		}
		progressed()
		err := stream.Send(&behalfv1.ImportRequest{Message: &behalfv1.ImportRequest_Batch{Batch: batch}})
		batch, size = &behalfv1.ImportBatch{Source: f.Source()}, 0
		return err
	}
	for {
		entry, err := f.Next()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
		batch.Entries = append(batch.Entries, entry)
		size += proto.Size(entry)
		if len(batch.Entries) >= batchEntries || size >= batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

func receive(stream importStream, bar *progress) (*behalfv1.ImportOutcome, error) {
	var outcome *behalfv1.ImportOutcome
	for {
		answer, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && outcome == nil:
			return nil, errors.New("the server ended the import without an outcome")
		case errors.Is(err, io.EOF):
			return outcome, nil
		case err != nil:
			return nil, err
		}
		if p := answer.GetProgress(); p != nil {
			bar.server(p)
		}
		if o := answer.GetOutcome(); o != nil {
			outcome = o
		}
	}
}

// sources returns the files' sources, each once, in the order of the files.
func (f *registerFiles) sources() []string {
	var sources []string
	for _, file := range f.files {
		if !slices.Contains(sources, file.Source()) {
			sources = append(sources, file.Source())
		}
	}
	return sources
}
