package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() { os.Exit(run()) }

// run runs the peers until a signal to stop.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := serve(ctx, os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 2
	case err != nil && ctx.Err() == nil:
		fmt.Fprintln(os.Stderr, "peers:", err)
		return 1
	}
	return 0
}

// options are what the program is told.
type options struct {
	address     string
	dataDir     string
	servers     string
	logs        string
	out         string
	peers       []string
	permissions []string
}

// The peers by their names on the command line.
const (
	spiceDBName = "spicedb"
	openFGAName = "openfga"
)

func parse(args []string, says io.Writer) (options, error) {
	beside := "."
	if program, err := os.Executable(); err == nil {
		beside = filepath.Dir(program)
	}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(says)
	var o options
	flags.StringVar(&o.address, "address", "127.0.0.1:7400", "gRPC address of the running Behalf whose relationships the peers get")
	flags.StringVar(&o.dataDir, "data-dir", "./behalf-data", "its data directory, for the admin key; or give a token in BEHALF_TOKEN")
	flags.StringVar(&o.servers, "servers", beside, "directory of the executables spicedb and openfga")
	flags.StringVar(&o.logs, "logs", os.TempDir(), "directory for the peers' logs")
	flags.StringVar(&o.out, "out", "peers.json", "file that describes the peers, written when all are ready")
	peers := flags.String("peers", spiceDBName+","+openFGAName, "which to start")
	permissions := flags.String("permissions", "represent,has_dagl", "permissions of party that OpenFGA's model is to know")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not understood; the command takes flags only", flags.Args())
	}
	o.peers, o.permissions = strings.Split(*peers, ","), strings.Split(*permissions, ",")
	for _, p := range o.peers {
		if !slices.Contains([]string{spiceDBName, openFGAName}, p) {
			return o, fmt.Errorf("-peers: %q is none of %s and %s", p, spiceDBName, openFGAName)
		}
	}
	return o, nil
}

// serve starts the peers, describes them, and returns when it is told to stop or a server
// ends.
func serve(ctx context.Context, args []string, says io.Writer) (err error) {
	o, err := parse(args, says)
	if err != nil {
		return err
	}
	source, err := dialBehalf(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	h := newHouse(ctx, o, says)
	defer func() {
		failed := h.close()
		if failed != nil && ctx.Err() != nil { // run tells of no fault once a signal came
			fmt.Fprintln(says, "peers: stop:", failed)
		}
		err = errors.Join(err, failed)
	}()
	var all []description
	for _, name := range o.peers {
		start := startSpiceDB
		if name == openFGAName {
			start = startOpenFGA
		}
		d, err := start(h, source)
		if err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
		all = append(all, d)
	}
	if err := describe(o.out, all); err != nil {
		return err
	}
	fmt.Fprintf(says, "%s describes the peers; they run until this program is told to stop\n", o.out)
	return h.wait()
}
