package bench

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/world"
)

// serve runs a gRPC server until the test ends, and returns a connection to it.
func serve(t *testing.T, s *grpc.Server) *grpc.ClientConn {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// wire answers calls of any method as a function of the bytes of the message.
func wire(answer func(method string, request []byte) []byte) *grpc.Server {
	return grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		in, out := new(emptypb.Empty), new(emptypb.Empty)
		if err := stream.RecvMsg(in); err != nil {
			return err
		}
		out.ProtoReflect().SetUnknown(answer(method, in.ProtoReflect().GetUnknown()))
		return stream.SendMsg(out)
	}))
}

// texts returns the texts and numbers of a message by their fields.
func texts(t *testing.T, m []byte) (got map[int]string, numbers map[int]uint64) {
	t.Helper()
	got, numbers = map[int]string{}, map[int]uint64{}
	if err := fields(m, func(f field) { got[int(f.number)], numbers[int(f.number)] = string(f.text), f.value }); err != nil {
		t.Fatal(err)
	}
	return got, numbers
}

// TestOpenFGA sends what is written by hand over a wire and reads it as another would.
func TestOpenFGA(t *testing.T) {
	conn := serve(t, wire(func(method string, request []byte) []byte {
		top, numbers := texts(t, request)
		switch method {
		case openFGACheck:
			key, _ := texts(t, []byte(top[2]))
			if top[1] != "store" || top[4] != "model" || key[1] != "user:1" || key[2] != "represent" || numbers[7] != 200 {
				t.Errorf("asked is %v %v %v", top, key, numbers)
			}
			answer := appendText(nil, 2, "some reason")
			switch key[3] {
			case "party:10":
				return appendNumber(answer, 1, 1)
			case "party:12":
				return []byte{0xff}
			}
			return answer
		case openFGAList:
			if top[1] != "store" || top[2] != "model" || top[3] != "party" || top[4] != "represent" || numbers[8] != 200 {
				t.Errorf("asked is %v %v", top, numbers)
			}
			answer := appendText(nil, 1, "party:10")
			if top[5] == "user:2" {
				return appendText(answer, 1, "firm:11")
			}
			return appendText(answer, 1, "party:11")
		}
		t.Errorf("called is %s", method)
		return nil
	}))
	p := Peer{API: OpenFGA, Store: "store", Model: "model"}
	target := p.Target([]grpc.ClientConnInterface{conn}, Represent, FullyConsistent)
	for party, want := range map[string]bool{"10": true, "11": false} {
		if got, err := target.Ask(t.Context(), 3, Question{"1", party, want}); err != nil || got != want {
			t.Errorf("party %s: %t, %v", party, got, err)
		}
	}
	if _, err := target.Ask(t.Context(), 0, Question{"1", "12", false}); err == nil {
		t.Error("what is no message is taken for an answer")
	}
	if answer, err := target.Probe(t.Context(), Question{"1", "10", true}); err != nil || len(answer) == 0 {
		t.Errorf("%q, %v", answer, err)
	}
	list, method := p.Lister(conn)
	var got []string
	if err := list(t.Context(), "1", func(party string) { got = append(got, party) }); err != nil || !slices.Equal(got, []string{"10", "11"}) {
		t.Errorf("%s: %q, %v", method, got, err)
	}
	if err := list(t.Context(), "2", func(string) {}); err == nil || !strings.Contains(err.Error(), "firm:11") {
		t.Errorf("what is no party is listed: %v", err)
	}
}

// looker answers LookupResources of authzed.api.v1 with parties.
type looker struct {
	v1.UnimplementedPermissionsServiceServer

	parties []string
}

func (l looker) LookupResources(_ *v1.LookupResourcesRequest, stream grpc.ServerStreamingServer[v1.LookupResourcesResponse]) error {
	for _, party := range l.parties {
		if err := stream.Send(&v1.LookupResourcesResponse{
			ResourceObjectId: party, Permissionship: v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION,
		}); err != nil {
			return err
		}
	}
	return nil
}

const users = `[{"user":1,"party":10,"count":1,"parties":[10]},{"user":2,"party":11,"count":3,"parties":[10,11,12]}]`

func readRoster(t *testing.T, count int) (*Roster, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, world.UsersFile), []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadRoster(dir, count)
}

// TestRoster knows a list again in any order, and tells one that is not the oracle's.
func TestRoster(t *testing.T) {
	roster, err := readRoster(t, 3)
	if err != nil || roster.User != "2" || roster.Count != 3 {
		t.Fatalf("%+v, %v", roster, err)
	}
	if _, err := readRoster(t, 2); !errors.Is(err, ErrNoRoster) || !strings.Contains(err.Error(), "[1 3]") {
		t.Errorf("nobody has 2 parties: %v", err)
	}
	for _, tc := range []struct {
		parties []string
		right   bool
	}{
		{[]string{"10", "11", "12"}, true}, {[]string{"12", "10", "11"}, true}, {[]string{"10", "11"}, false},
		{[]string{"10", "11", "13"}, false}, {[]string{"10", "11", "12", "12"}, false}, {[]string{"10", "11", "11"}, false}, {nil, false},
	} {
		s := grpc.NewServer()
		v1.RegisterPermissionsServiceServer(s, looker{parties: tc.parties})
		conn := serve(t, s)
		load := Load{Concurrency: 1, Duration: time.Millisecond, Timeout: time.Minute}
		m, err := load.Measure(t.Context(), ListName, "", roster.Listing(LookupResources(conn)), roster.Questions(), nil, func(string, time.Duration, time.Duration) {})
		if err != nil || m.Failed > 0 || (m.Wrong == 0) != tc.right {
			t.Errorf("%q: %+v, %v", tc.parties, m, err)
		}
		fault := Report{ListParties: 3, Measurements: []Measurement{m}}.Fault()
		if tc.right == (fault != nil) || fault != nil && !strings.Contains(fault.Error(), "the list of user:2 is not the oracle's 3 parties") {
			t.Errorf("%q: %v", tc.parties, fault)
		}
		first, err := ProbeLookup(t.Context(), conn, roster.User)
		if len(tc.parties) == 0 {
			continue
		}
		if one := new(v1.LookupResourcesResponse); err != nil || proto.Unmarshal(first, one) != nil || one.GetResourceObjectId() != tc.parties[0] {
			t.Errorf("the first message is %v, %v", one, err)
		}
	}
}

// TestLookupFloor sends a ready answer as often as it is told.
func TestLookupFloor(t *testing.T) {
	answer, err := proto.Marshal(&v1.LookupResourcesResponse{
		ResourceObjectId: "10", Permissionship: v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION,
	})
	if err != nil {
		t.Fatal(err)
	}
	serveFloor, stop, err := floor(Lookup, answer, 5)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serveFloor(listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	n := 0
	if err := LookupResources(conn)(t.Context(), "2", func(string) { n++ }); err != nil || n != 5 {
		t.Errorf("%d answers, %v", n, err)
	}
	if _, _, err := floor(OpenFGA, nil, 1); err == nil {
		t.Error("there is a floor of OpenFGA")
	}
}

func TestReadPeers(t *testing.T) {
	read := func(text string) ([]Peer, error) {
		file := filepath.Join(t.TempDir(), "peers.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadPeers(file)
	}
	peers, err := read(`[{"name":"A","versions":["a 1"],"api":"authzed","address":"127.0.0.1:1"},
		{"name":"B","versions":["b 1"],"api":"openfga","address":"127.0.0.1:2","store":"s","model":"m","permissions":["represent"]}]`)
	if err != nil || len(peers) != 2 {
		t.Fatal(peers, err)
	}
	for _, p := range peers {
		if err := p.Validate(Represent, FullyConsistent); err != nil || !p.Lists() {
			t.Error(err)
		}
	}
	if peers[0].Validate("has_dagl", AtExactSnapshot) != nil || peers[1].Validate("has_dagl", FullyConsistent) == nil || peers[1].Validate(Represent, AtExactSnapshot) == nil {
		t.Error("a peer is asked what it does not know, or not what it does")
	}
	for _, broken := range []Peer{{API: GRPC}, {}, {API: OpenFGA, Store: "s"}, {API: Authzed, Processes: Processes{1 << 30}}} {
		if broken.Validate(Represent, FullyConsistent) == nil {
			t.Errorf("%+v is taken for a peer", broken)
		}
	}
	for _, broken := range []string{"", "[]", "{}", `[{"processes":"1"}]`} {
		if _, err := read(broken); err == nil {
			t.Errorf("%q is taken for peers", broken)
		}
	}
	for c, want := range map[Consistency]string{FullyConsistent: "HIGHER_CONSISTENCY", MinimizeLatency: "MINIMIZE_LATENCY"} {
		if got := peers[1].Report(c).Consistency; !strings.Contains(got, want) {
			t.Errorf("%s is %s", c, got)
		}
	}
}

func TestMarkdownOfPeers(t *testing.T) {
	peers := []Peer{{Name: "SpiceDB", Versions: []string{"spicedb v1", "Postgres 15"}, API: Authzed}, {Name: "OpenFGA", Versions: []string{"openfga v2"}, API: OpenFGA}}
	m := func(name, peer string, cpu, p50, rate float64) Measurement {
		return Measurement{Name: name, Peer: peer, Calls: 1, PerSecond: rate, Latency: Latency{P50: p50}, CPU: &CPU{MicrosPerCall: cpu}}
	}
	r := Report{
		Permission: "has_dagl", Consistency: FullyConsistent, ListUser: "2", ListParties: 3, World: World{Parties: 7, Assignments: 9},
		Measurements: []Measurement{
			m(CheckName, "", 50, 100, 1000), m(FloorName, "", 40, 90, 1100), m(LookupName, "", 2000, 2500, 40), m(LookupFloorName, "", 1600, 2000, 50),
			m(CheckName, "SpiceDB", 1000, 300, 250), m(ListName, "SpiceDB", 60000, 25000, 4), m(CheckName, "OpenFGA", 500, 200, 500),
		},
	}
	r.Measurements[6].CPU = nil
	for _, p := range peers {
		r.Peers = append(r.Peers, p.Report(r.Consistency))
	}
	var out strings.Builder
	if err := r.Markdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| lists | the 3 parties of user 2", "| peer | SpiceDB (spicedb v1, Postgres 15): authzed.api.v1",
		"check ÷ floor: calls/s 0.91", "lookup ÷ lookup floor: calls/s 0.80, p50 1.25",
		"| check, SpiceDB | spicedb v1, Postgres 15 | party#has_dagl | fully-consistent | 7 parties, 9 assignments | 1000.0 | 20.00 | 300 | 3.00 | 250.0 | 0.25 |",
		"| list, SpiceDB | spicedb v1, Postgres 15 | party#represent | fully-consistent | 7 parties, 9 assignments | 60000.0 | 30.00 | 25000 | 10.00 | 4.0 | 0.10 |",
		"| check, OpenFGA | openfga v2 | party#has_dagl | fully-consistent (HIGHER_CONSISTENCY) | 7 parties, 9 assignments | – | – | 200 | 2.00 | 500.0 | 0.50 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing of %q in:\n%s", want, out.String())
		}
	}
}
