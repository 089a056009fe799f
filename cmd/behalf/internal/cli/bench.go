package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/bench"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
	"github.com/behalf-authz/behalf/server"
)

// benchCommand is `behalf bench`.
type benchCommand struct {
	Terminal
	client client

	api, url, label        string
	world, permission      string
	consistency            string
	load                   bench.Load
	connections            int
	denials                float64
	seed                   uint64
	pids                   []int
	floor                  bool
	peersFile              string
	list                   int
	jsonFile, markdownFile string

	peers  []bench.Peer  // what peersFile holds
	roster *bench.Roster // whose parties are listed, if list asks for it
}

func newBench(t Terminal) *cobra.Command {
	c := &benchCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "bench --world DIR",
		Short: "Measure what a check costs a running server",
		Long: `Ask a running server the questions of a world that "behalf generate" made and "behalf import" brought in, and
report how long callers waited, how many answers came in a second and, with --server-pid, what processor time an
answer cost. Each answer is compared with the world's oracle; one that differs is printed, and the exit code is 1.

Without --rate each caller asks again as soon as it has its answer. With --rate calls start when they are due, and
the wait of a call counts from then, also when no caller was free to make it.

The same load also goes to what a call costs without a check. "chain" is a method of the same server that does
nothing, behind all that each call passes: log, metrics, credentials, access. "floor" is a bare server in a process
of its own, without any of that, which reads the same requests and sends one ready answer of the same size. Each is
warmed up, and then they take turns, a fifth of the duration at a time, so that their ratios compare equals while
the server still settles and the machine drifts. Lists and their floor do the same after that, and then come the
peers. In an open loop each is measured in one piece: a call that is late waits on, also when its turn would end.

--api authzed measures any server of authzed.api.v1 that holds the same relationships, such as SpiceDB.

--peers names a file that describes servers which hold the same relationships, SpiceDB or OpenFGA, as a JSON array.
They get the same questions in the same run. --list has whoever is measured list the parties of one user, one list
after another: "list" is behalf.v1 in one answer, "lookup" LookupResources of authzed.api.v1, and "lookup floor" a
bare server that sends as many ready answers.`,
		Example: `  behalf generate --parties 100000 --oracle-rows 20000 --out world && behalf import world/world.jsonl
  behalf bench --world world --concurrency 16 --duration 10s --server-pid $(pidof behalf)
  behalf bench --world world --rate 2000 --duration 30s --json open.json --markdown open.md
  behalf bench --world world --api authzed --consistency minimize-latency --address 127.0.0.1:50051 --label "SpiceDB 1.56"
  behalf bench --world world --server-pid $(pidof behalf) --peers peers.json --list 10000 --markdown peers.md`,
		Args:    arguments(0, 0, "none"),
		PreRunE: func(*cobra.Command, []string) error { return c.validate() },
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	c.client.bind(cmd.Flags())
	c.bind(cmd.Flags())
	cmd.AddCommand(newBenchFloor(t))
	return cmd
}

func (c *benchCommand) bind(flags *pflag.FlagSet) {
	flags.StringVar(&c.world, "world", "", "directory that behalf generate made")
	flags.StringVar(&c.api, "api", string(bench.GRPC), "what is called: grpc (behalf.v1), rest (behalf.v1 over HTTP) or authzed (authzed.api.v1)")
	flags.StringVar(&c.url, "url", "http://"+server.DefaultHTTPAddr, "the server's URL, for --api rest")
	flags.StringVar(&c.label, "label", "", "name of the target in reports")
	flags.StringVar(&c.permission, "permission", bench.Represent, "represent, or has_ and the relation of a role, such as has_regn")
	flags.StringVar(&c.consistency, "consistency", string(bench.FullyConsistent), "fully-consistent, minimize-latency (authzed only), at-least-as-fresh or at-exact-snapshot")
	flags.IntVar(&c.load.Concurrency, "concurrency", 16, "callers, which is the most calls under way at a time")
	flags.IntVar(&c.connections, "connections", 4, "gRPC connections that the callers share; over HTTP each has its own")
	flags.Float64Var(&c.load.Rate, "rate", 0, "calls a second, due at even distances; 0 for as many as are answered")
	flags.DurationVar(&c.load.Duration, "duration", 10*time.Second, "time of each measurement; without --rate, check, chain and floor take turns, with a fifth of it at a time")
	flags.DurationVar(&c.load.Warmup, "warm-up", 2*time.Second, "time of the same load on each before that")
	flags.DurationVar(&c.load.Timeout, "timeout", 10*time.Second, "time after which a call has failed")
	flags.Float64Var(&c.denials, "denials", 0.4, "share of questions whose answer is no, from 0 to 1")
	flags.Uint64Var(&c.seed, "seed", 1, "another seed asks in another order")
	flags.IntSliceVar(&c.pids, "server-pid", nil, "process of the server, or of its database, whose processor time counts, with all it has started; may be repeated")
	flags.BoolVar(&c.floor, "floor", true, "measure as well what a call costs without a check")
	flags.StringVar(&c.peersFile, "peers", "", "file that describes servers which hold the same relationships and get the same questions")
	flags.IntVar(&c.list, "list", 0, "measure lists as well, of the world's user with exactly so many parties, such as 10000; 0 for none")
	flags.StringVar(&c.jsonFile, "json", "", "file for the report as JSON; - for standard output")
	flags.StringVar(&c.markdownFile, "markdown", "", "file for the report as Markdown; - for standard output, which is the default without --json")
}

// validate reports all that is wrong with the flags.
func (c *benchCommand) validate() error {
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	api := bench.API(c.api)
	refuse(c.world == "", "--world: name a directory that `behalf generate` made")
	known := slices.Contains([]bench.API{bench.GRPC, bench.REST, bench.Authzed}, api)
	refuse(!known, "--api: %q is none of grpc, rest and authzed", c.api)
	refuse(c.load.Concurrency < 1 || c.load.Concurrency > 10000, "--concurrency: %d is not from 1 to 10000", c.load.Concurrency)
	refuse(c.connections < 1, "--connections: %d is not a number of connections", c.connections)
	refuse(!(c.load.Rate >= 0 && c.load.Rate <= 1e6), "--rate: %v is not from 0 to 1000000 calls a second", c.load.Rate)
	refuse(c.load.Duration <= 0, "--duration: %v is no time", c.load.Duration)
	refuse(c.load.Warmup < 0, "--warm-up: %v is before the start", c.load.Warmup)
	refuse(c.load.Timeout <= 0, "--timeout: %v is no time", c.load.Timeout)
	refuse(!(c.denials >= 0 && c.denials <= 1), "--denials: %v is not from 0 to 1", c.denials)
	for _, pid := range c.pids {
		refuse(pid < 1, "--server-pid: %d is not a process", pid)
	}
	if err := bench.Consistency(c.consistency).Validate(api); err != nil && known {
		faults = append(faults, fmt.Errorf("--consistency: %w", err))
	}
	refuse(c.list < 0, "--list: %d is not a number of parties", c.list)
	refuse(c.list > 0 && api == bench.REST, "--list: lists are measured over gRPC only")
	refuse(c.list > 0 && c.consistency != string(bench.FullyConsistent), "--list: lists are measured %s only", bench.FullyConsistent)
	for flag, file := range map[string]string{"--json": c.jsonFile, "--markdown": c.markdownFile} {
		if file == "" || file == "-" {
			continue
		}
		info, err := os.Stat(filepath.Dir(file))
		refuse(err != nil || !info.IsDir(), "%s: there is no directory %s", flag, filepath.Dir(file))
	}
	refuse(c.jsonFile == "-" && c.markdownFile == "-", "--json, --markdown: standard output takes one report")
	return usageOf(errors.Join(faults...))
}

// usageOf is usage, and nil for no error.
func usageOf(err error) error {
	if err == nil {
		return nil
	}
	return usage(err)
}

func (c *benchCommand) run(ctx context.Context) error {
	report, questions, err := c.prepare()
	if err != nil {
		return err
	}
	to, err := c.dial(c.client, c.url)
	if err != nil {
		return err
	}
	defer to.close()
	target := c.checks(to)
	answer, err := c.probe(ctx, target, questions)
	if err != nil {
		return c.client.explain(err)
	}
	bar := newProgress(c.Err)
	defer bar.end()
	tell := func(phase string, done, total time.Duration) { bar.show(phase, int64(done), int64(total)) }

	measurands, end, err := c.compared(ctx, to, target, report.Target.Method, answer, questions)
	if err != nil {
		return err
	}
	defer end()
	defer keepHeapGoal(os.LookupEnv)() // a collection in here is a pause of the calls
	report.Measurements, err = c.load.Alternate(ctx, questions, tell, measurands...)
	if err != nil {
		return err
	}
	end()
	if report.Fault() == nil {
		beside, err := c.measureBeside(ctx, to, questions, tell)
		if err != nil {
			return err
		}
		report.Measurements = append(report.Measurements, beside...)
	}
	bar.end()
	return errors.Join(c.write(report), report.Fault())
}

// prepare reads the world and says what will be measured.
func (c *benchCommand) prepare() (bench.Report, *bench.Questions, error) {
	fail := func(flag string, err error) (bench.Report, *bench.Questions, error) {
		return bench.Report{}, nil, usage(fmt.Errorf("%s: %w", flag, err))
	}
	questions, err := bench.ReadQuestions(c.world, c.permission)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("--world", fmt.Errorf("%s has no %s; make it with `behalf generate --out %[1]s`", c.world, world.OracleFile))
	case errors.Is(err, bench.ErrUnknownPermission):
		return fail("--permission", err)
	case err != nil:
		return fail("--world", err)
	}
	questions.Denials, questions.Seed = c.denials, c.seed
	if err := questions.Validate(); err != nil {
		return fail("--denials", err)
	}
	counts, err := bench.ReadWorld(c.world)
	if err != nil {
		return fail("--world", err)
	}
	counts.Questions = questions.Len()
	processes := bench.Processes(c.pids)
	if err := processes.Validate(); err != nil {
		return fail("--server-pid", err)
	}
	if err := c.readPeers(); err != nil {
		return fail("--peers", err)
	}
	if err := c.readRoster(); err != nil {
		return fail("--list", err)
	}
	b, api := thisBuild(), bench.API(c.api)
	report := bench.Report{
		Time: time.Now(), Behalf: b.Version, Machine: bench.ThisMachine(), World: counts,
		Target:     bench.Server{API: api, Method: api.Method(), Address: c.client.address, Label: c.label, Processes: processes.Describe()},
		Permission: c.permission, Consistency: bench.Consistency(c.consistency), Denials: c.denials, Seed: c.seed,
		Load: c.load.Report(min(c.connections, c.load.Concurrency)), ListParties: c.list,
	}
	for _, p := range c.peers {
		report.Peers = append(report.Peers, p.Report(report.Consistency))
	}
	if c.roster != nil {
		report.ListUser = c.roster.User
	}
	if b.Revision != "" {
		report.Behalf += " " + b.Revision
	}
	if api == bench.REST {
		report.Target.Address, report.Load.Connections = c.url, c.load.Concurrency
	}
	return report, questions, nil
}

// write writes the reports to where they are wanted.
func (c *benchCommand) write(r bench.Report) error {
	markdown := c.markdownFile
	if markdown == "" && c.jsonFile == "" {
		markdown = "-"
	}
	return errors.Join(c.writeTo(c.jsonFile, r.JSON), c.writeTo(markdown, r.Markdown))
}

func (c *benchCommand) writeTo(file string, write func(io.Writer) error) (err error) {
	switch file {
	case "":
		return nil
	case "-":
		return write(c.Out)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}
