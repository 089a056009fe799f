package cli

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/bench"
)

// readPeers reads whom to measure beside the server.
func (c *benchCommand) readPeers() (err error) {
	if c.peersFile == "" {
		return nil
	}
	if c.peers, err = bench.ReadPeers(c.peersFile); err != nil {
		return err
	}
	for _, p := range c.peers {
		if err := p.Validate(c.permission, bench.Consistency(c.consistency)); err != nil {
			return err
		}
		host, _, err := net.SplitHostPort(p.Address)
		if err != nil || !local(host) {
			return fmt.Errorf("%s is at %q: peers are asked on this machine only", p.Name, p.Address)
		}
	}
	return nil
}

// readRoster reads whose parties are listed.
func (c *benchCommand) readRoster() (err error) {
	if c.list > 0 {
		c.roster, err = bench.ReadRoster(c.world, c.list)
	}
	return err
}

// measurePeers asks the peers the same questions, one peer after another.
func (c *benchCommand) measurePeers(ctx context.Context, questions *bench.Questions, tell telling) (all []bench.Measurement, err error) {
	for _, p := range c.peers {
		measured, err := c.measurePeer(ctx, p, questions, func(phase string, done, total time.Duration) {
			tell(p.Name+", "+phase, done, total)
		})
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", p.Name, err)
		}
		for _, m := range measured {
			m.Peer = p.Name
			all = append(all, m)
		}
	}
	return all, nil
}

func (c *benchCommand) measurePeer(ctx context.Context, p bench.Peer, questions *bench.Questions, tell telling) ([]bench.Measurement, error) {
	to, err := connect(min(c.connections, c.load.Concurrency), func() (*grpc.ClientConn, error) { return dialPeer(p) })
	if err != nil {
		return nil, err
	}
	defer to.close()
	target := p.Target(to.conns, c.permission, bench.Consistency(c.consistency))
	if _, err := c.probe(ctx, target, questions); err != nil {
		return nil, err
	}
	check, err := c.load.Measure(ctx, bench.CheckName, p.API.Method(), target, questions, p.Processes, tell)
	if err != nil || c.roster == nil || !p.Lists() {
		return []bench.Measurement{check}, err
	}
	lister, method := p.Lister(to.conns[0])
	list, err := c.lists().Measure(ctx, bench.ListName, method, c.roster.Listing(lister), c.roster.Questions(), p.Processes, tell)
	return []bench.Measurement{check, list}, err
}

// dialPeer connects to a peer, which gets its own credentials only.
func dialPeer(p bench.Peer) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), // it is on this machine
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20)),
	}
	if p.Token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(p.Token)))
	}
	return grpc.NewClient(p.Address, options...)
}

// lists is the load of lists: one after another.
func (c *benchCommand) lists() bench.Load {
	return bench.Load{Concurrency: 1, Duration: c.load.Duration, Warmup: c.load.Warmup, Timeout: c.load.Timeout}
}

// measureLists measures the server's lists, in turn with a bare server that sends one.
func (c *benchCommand) measureLists(ctx context.Context, to *dialled, tell telling) ([]bench.Measurement, error) {
	conn := to.conns[0]
	var lists []bench.Measurand
	if bench.API(c.api) == bench.GRPC {
		lists = append(lists, bench.Measurand{
			Name: bench.ListName, What: "behalf.v1 PartyService.ListParties over gRPC, by id, in one answer",
			Asker: c.roster.Listing(bench.ListParties(conn)), Processes: c.pids,
		})
	}
	lists = append(lists, bench.Measurand{
		Name: bench.LookupName, What: bench.Lookup.Method(),
		Asker: c.roster.Listing(bench.LookupResources(conn)), Processes: c.pids,
	})
	if c.floor {
		floor, end, err := c.lookupFloor(ctx, conn)
		if err != nil {
			return nil, err
		}
		defer end()
		lists = append(lists, floor)
	}
	return c.lists().Alternate(ctx, c.roster.Questions(), tell, lists...)
}

// lookupFloor starts a bare server that sends the list as it comes from the connection.
func (c *benchCommand) lookupFloor(ctx context.Context, conn grpc.ClientConnInterface) (_ bench.Measurand, end func(), err error) {
	probe, cancel := context.WithTimeout(ctx, c.load.Timeout)
	defer cancel()
	answer, err := bench.ProbeLookup(probe, conn, c.roster.User)
	if err != nil {
		return bench.Measurand{}, nil, c.client.explain(err)
	}
	floor, bare, err := c.startFloor(ctx, bench.Lookup, answer, c.roster.Count)
	if err != nil {
		return bench.Measurand{}, nil, fmt.Errorf("measure the floor of lists: %w", err)
	}
	end = func() {
		bare.close()
		floor.Close()
	}
	return bench.Measurand{
		Name:      bench.LookupFloorName,
		What:      fmt.Sprintf("the same request to a bare server that sends %d ready answers of %d bytes", c.roster.Count, len(answer)),
		Asker:     bench.Blind{Asker: c.roster.Listing(bench.LookupResources(bare.conns[0]))},
		Processes: c.floorProcesses(floor),
	}, end, nil
}
