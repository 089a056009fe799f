package bench

import (
	"fmt"
	"strings"
)

// named returns the target's own measurement of a name.
func (r Report) named(name string) (Measurement, bool) {
	for _, m := range r.Measurements {
		if m.Name == name && m.Peer == "" {
			return m, true
		}
	}
	return Measurement{}, false
}

// ratios relates what was measured of the target to its floors, and says what each
// measurement is.
func (r Report) ratios(b *strings.Builder) {
	if len(r.Measurements) < 2 {
		return
	}
	for _, pair := range [][2]string{{CheckName, FloorName}, {ChainName, FloorName}, {LookupName, LookupFloorName}} {
		m, measured := r.named(pair[0])
		floor, related := r.named(pair[1])
		if !measured || !related || floor.PerSecond == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%s ÷ %s: calls/s %.2f, p50 %.2f, p99 %.2f", m.Name, floor.Name,
			m.PerSecond/floor.PerSecond, m.Latency.P50/floor.Latency.P50, m.Latency.P99/floor.Latency.P99)
		if m.CPU != nil && floor.CPU != nil && floor.CPU.MicrosPerCall > 0 {
			fmt.Fprintf(b, ", CPU per call %.2f", m.CPU.MicrosPerCall/floor.CPU.MicrosPerCall)
		}
		b.WriteString(".\n")
	}
	b.WriteString("\n")
	for _, m := range r.Measurements {
		fmt.Fprintf(b, "- %s: %s\n", m.label(), m.What)
	}
}

// beside relates the peers to the target. Each row says for itself what it holds for.
func (r Report) beside(b *strings.Builder) {
	if len(r.Peers) == 0 {
		return
	}
	world := fmt.Sprintf("%d parties, %d assignments", r.World.Parties, r.World.Assignments)
	b.WriteString("\nPeers hold the same relationships. Their processor time is that of server and database; ÷ is by the target's.\n\n")
	b.WriteString("| | versions | permission | consistency | world | CPU per call | ÷ | p50 | ÷ | calls/s | ÷ |\n|---|---|---|---|---|--:|--:|--:|--:|--:|--:|\n")
	for _, p := range r.Peers {
		for _, m := range r.Measurements {
			if m.Peer != p.Name {
				continue
			}
			permission, own := "party#"+r.Permission, r.like(m)
			if m.Name == ListName {
				permission = "party#" + Represent
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %.0f | %s | %.1f | %s |\n",
				cell(m.label()), cell(strings.Join(p.Versions, ", ")), permission, p.Consistency, world,
				m.CPU.cell(), ratio(m.CPU.perCall(), own.CPU.perCall()), m.Latency.P50, ratio(m.Latency.P50, own.Latency.P50),
				m.PerSecond, ratio(m.PerSecond, own.PerSecond))
		}
	}
}

// like returns the target's measurement of what a peer's is of.
func (r Report) like(m Measurement) Measurement {
	own, ok := r.named(m.Name)
	if !ok && m.Name == ListName {
		own, _ = r.named(LookupName) // of a target that is asked by authzed.api.v1
	}
	return own
}

func ratio(a, b float64) string {
	if a <= 0 || b <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func (c *CPU) perCall() float64 {
	if c == nil {
		return 0
	}
	return c.MicrosPerCall
}
