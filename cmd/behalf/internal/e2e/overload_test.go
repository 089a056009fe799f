package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/behalf-authz/behalf/server"
)

var overloadFlag = flag.Duration("overload", 0,
	"how long TestOverload floods; 30s is the whole measure, which needs a quiet machine. Without it a short flood shows who is served")

// flood is the size of an overload.
type flood struct {
	rate    int           // calls a second of one caller
	limit   float64       // how many he may make
	burst   int           // how many of them at once
	inHand  int           // calls in hand of both
	lasts   time.Duration // how long he makes them
	beside  int           // calls a second of the other, who is within the limit
	ratios  bool          // whether times are judged too
	patient time.Duration // how long a call waits for its answer
}

func floodOf(asked time.Duration) flood {
	if asked > 0 {
		return flood{rate: 5000, limit: 500, burst: 50, inHand: 64, lasts: asked, beside: 50, ratios: true, patient: 10 * time.Second}
	}
	// However long the machine stands still, the other's calls fit into his burst and share.
	return flood{rate: 500, limit: 20, burst: 50, inHand: 256, lasts: 2 * time.Second, beside: 10, patient: time.Minute}
}

// TestOverload has one caller make many times the calls that he may, whether answers come or
// not, at a server of one processor. What is too much is refused, and cheaply; another caller
// is served as before; and afterwards both are. Without limits it would not be so.
func TestOverload(t *testing.T) {
	if os.Getenv(measured) != "" {
		serveLimited(t)
		return
	}
	if *datastoreFlag != server.DatastoreSQLite {
		t.Skip("what limits do does not depend on the datastore")
	}
	f := floodOf(*overloadFlag)
	if f.ratios {
		leaveGarbage(t)
	}
	i := start(t)
	loadDemo(t, i)
	flooder, other := i.userToken(t, 20010001, 50010001), i.userToken(t, 20010002, 50010002)
	i.stop()
	for _, door := range []string{"gRPC", "HTTP"} {
		t.Run(door, func(t *testing.T) {
			w := startOverload(t, f, door, fmt.Sprintf("serve --rate-limit %v --rate-burst %d --max-calls %d", f.limit, f.burst, f.inHand), i.dataDir, flooder, other)
			for _, fault := range w.measure(t).faults(f) {
				t.Error(fault)
			}
		})
	}
	if !f.ratios {
		return // nothing would be refused without limits, for certain; what becomes of times, only the whole measure tells
	}
	for _, door := range []string{"gRPC", "HTTP"} {
		t.Run(door+" without limits", func(t *testing.T) {
			w := startOverload(t, f, door, "serve", i.dataDir, flooder, other)
			faults := w.measure(t).faults(f)
			if len(faults) == 0 {
				t.Error("a server without limits passes")
			}
			for _, fault := range faults {
				t.Log("as it should be, without limits:", fault)
			}
		})
	}
}

// serveLimited serves with limits, on one processor.
func serveLimited(t *testing.T) {
	runtime.GOMAXPROCS(1)
	serveUntilTold(t, os.Getenv(measured), func(url, grpc string) {
		fmt.Println("serving", url, grpc, serveHeap(t))
	})
}

// overload is a server in a process of its own, and its two callers.
type overload struct {
	flood          flood
	server         process
	flooder, other caller
}

func startOverload(t *testing.T, f flood, door, limits, data, flooder, other string) *overload {
	t.Helper()
	p := startMeasured(t, limits, data)
	if f.ratios {
		apart(t, p.pid)
	}
	w := &overload{flood: f, server: p}
	for token, c := range map[string]*caller{flooder: &w.flooder, other: &w.other} {
		if door == "HTTP" {
			*c = httpCaller(t, p.url, token, f.patient)
			continue
		}
		conn, err := grpc.NewClient(p.other[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		*c = grpcCaller(conn, token, f.patient)
	}
	return w
}

// apart gives the server a processor, and its callers the others. The kernel would otherwise
// have the server's one thread wait its turn behind theirs, for milliseconds.
func apart(t *testing.T, server int) {
	t.Helper()
	place := func(pid int, processors string) {
		t.Helper()
		if out, err := exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", processors, strconv.Itoa(pid)).CombinedOutput(); err != nil {
			t.Fatalf("place process %d on processors %s: %v: %s", pid, processors, err, out)
		}
	}
	last := strconv.Itoa(runtime.NumCPU() - 1)
	place(server, "0")
	place(os.Getpid(), "1-"+last)
	t.Cleanup(func() { place(os.Getpid(), "0-"+last) })
}

// overloaded is what an overload did.
type overloaded struct {
	bare, alone, flooded, beside, after, otherAfter samples
	heapBefore, heapDuring                          float64
	took                                            time.Duration // from the flood's first call to its last answer
	refusals                                        float64       // as the server counts them
}

// measure has both callers call, then one of them flood, then both again.
func (w *overload) measure(t *testing.T) overloaded {
	t.Helper()
	var m overloaded
	f, ctx := w.flood, t.Context()
	w.flooder.calls(ctx, int(f.limit/2), time.Second) // which warms both up
	m.bare = w.flooder.calls(ctx, int(f.limit/2), f.lasts/4)
	m.heapBefore = w.heapDuring(t, func(ctx context.Context) { m.alone = w.other.calls(ctx, f.beside, f.lasts) })
	m.heapDuring = w.heapDuring(t, func(ctx context.Context) {
		beside := make(chan samples)
		go func() { beside <- w.other.calls(ctx, f.beside, f.lasts) }()
		begun := time.Now()
		m.flooded = w.flooder.calls(ctx, f.rate, f.lasts)
		m.took = time.Since(begun)
		m.beside = <-beside
	})
	time.Sleep(time.Second) // the subject: a second later all is as it was
	m.after = w.flooder.calls(ctx, int(f.limit/2), f.lasts/4)
	m.otherAfter = w.other.calls(ctx, f.beside, f.lasts/4)
	m.refusals = w.metric(t, `behalf_calls_refused_total{limit="rate"}`) + w.metric(t, `behalf_calls_refused_total{limit="in_hand"}`)
	refused := m.flooded.refused()
	t.Logf("a call by itself: median %s, p99 %s; refused %d of %d: median %s, p99 %s",
		m.bare.quantile(50), m.bare.quantile(99), len(refused), len(m.flooded), refused.quantile(50), refused.quantile(99))
	t.Logf("the other caller's p99 %s without and %s beside the flood, %s after it", m.alone.quantile(99), m.beside.quantile(99), m.otherAfter.quantile(99))
	t.Logf("heap %.1f MiB without and %.1f MiB beside the flood; the flooder's median afterwards %s", m.heapBefore/(1<<20), m.heapDuring/(1<<20), m.after.quantile(50))
	return m
}

// The bars.
const (
	refusalBar = 2   // times a bare call
	otherBar   = 3   // times his p99 without the flood
	heapBar    = 1.5 // times that without the flood
	shortHeap  = 64 << 20
)

// faults returns what is not as it should be.
func (m overloaded) faults(f flood) (faults []string) {
	expect := func(holds bool, format string, args ...any) {
		if !holds {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	refused := m.flooded.refused()
	expect(len(refused) > 0, "no call of %d is refused", len(m.flooded))
	may := f.limit*m.took.Seconds() + float64(f.burst) + 1
	expect(float64(m.flooded.served()) <= may, "%d calls of the flood are served in %s, more than %.0f", m.flooded.served(), m.took, may)
	expect(m.flooded.served() > 0, "none of the flood is served")
	expect(m.refusals > 0, "the server counts no refusal")
	for who, of := range map[string]samples{"the flooder": m.flooded, "the other": m.beside, "the other, alone": m.alone, "the flooder, before": m.bare, "the flooder, after": m.after, "the other, after": m.otherAfter} {
		expect(of.failed() == "", "%s: %s", who, of.failed())
		if who != "the flooder" {
			expect(of.served() == len(of), "%s: %d of %d calls are served", who, of.served(), len(of))
		}
	}
	if !f.ratios {
		expect(m.heapDuring <= heapBar*m.heapBefore+shortHeap, "the heap grows from %.0f to %.0f bytes", m.heapBefore, m.heapDuring)
		return faults
	}
	expect(m.heapDuring <= heapBar*m.heapBefore, "the heap grows from %.0f to %.0f bytes", m.heapBefore, m.heapDuring)
	expect(refused.quantile(50) <= refusalBar*m.bare.quantile(50), "a refusal takes %s, a bare call %s", refused.quantile(50), m.bare.quantile(50))
	expect(m.beside.quantile(99) <= otherBar*m.alone.quantile(99), "the other's p99 is %s beside the flood, %s without", m.beside.quantile(99), m.alone.quantile(99))
	expect(m.after.quantile(50) <= 2*m.bare.quantile(50), "the flooder's calls take %s a second after the flood, %s before", m.after.quantile(50), m.bare.quantile(50))
	expect(m.otherAfter.quantile(50) <= 2*m.alone.quantile(50), "the other's calls take %s a second after the flood, %s before", m.otherAfter.quantile(50), m.alone.quantile(50))
	return faults
}

// metric returns what the server shows of a metric, 0 when it shows none.
func (w *overload) metric(t *testing.T, series string) (value float64) {
	t.Helper()
	i := instance{url: w.server.url}
	for line := range strings.Lines(string(i.call(t, "GET", "/metrics", "", "").body)) {
		if text, ok := strings.CutPrefix(line, series+" "); ok {
			if _, err := fmt.Sscan(text, &value); err != nil {
				t.Fatal(err)
			}
		}
	}
	return value
}
