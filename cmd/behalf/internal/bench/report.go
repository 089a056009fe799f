package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Report is a run: what was measured, how, on what, and what came of it.
type Report struct {
	Time         time.Time     `json:"time"`
	Behalf       string        `json:"behalf"` // version of the program that made the calls
	Machine      Machine       `json:"machine"`
	Target       Server        `json:"target"`
	Peers        []PeerReport  `json:"peers,omitempty"`
	World        World         `json:"world"`
	Permission   string        `json:"permission"`
	Consistency  Consistency   `json:"consistency"`
	Denials      float64       `json:"denials"` // their share
	Seed         uint64        `json:"seed"`
	Load         LoadReport    `json:"load"`
	ListUser     string        `json:"listUser,omitempty"`    // whose parties are listed, by one caller
	ListParties  int           `json:"listParties,omitempty"` // how many they are
	Measurements []Measurement `json:"measurements"`
}

// Server is what was asked.
type Server struct {
	API       API       `json:"api"`
	Method    string    `json:"method"`
	Address   string    `json:"address"`
	Label     string    `json:"label,omitempty"` // as the caller named it
	Processes []Process `json:"processes,omitempty"`
}

// LoadReport is a load for reading.
type LoadReport struct {
	Loop          string  `json:"loop"` // closed or open
	Concurrency   int     `json:"concurrency"`
	Connections   int     `json:"connections"`
	Rate          float64 `json:"ratePerSecond,omitempty"`
	Seconds       float64 `json:"seconds"`
	WarmupSeconds float64 `json:"warmupSeconds"`
}

// Report returns the load for reading.
func (l Load) Report(connections int) LoadReport {
	return LoadReport{
		Loop: l.Loop(), Concurrency: l.Concurrency, Connections: connections, Rate: l.Rate,
		Seconds: l.Duration.Seconds(), WarmupSeconds: l.Warmup.Seconds(),
	}
}

// Fault says what is wrong with what was measured: answers that are not the oracle's, or
// calls without an answer.
func (r Report) Fault() error {
	var says []string
	for _, m := range r.Measurements {
		if m.Wrong > 0 {
			says = append(says, fmt.Sprintf("%s: %d of %d answers are not the oracle's", m.label(), m.Wrong, m.Allowed+m.Denied))
			for _, w := range m.Examples {
				if w.Party == everyParty {
					says = append(says, fmt.Sprintf("the list of user:%s is not the oracle's %d parties", w.User, r.ListParties))
					continue
				}
				says = append(says, fmt.Sprintf("%s of party:%s for user:%s is answered %t, the oracle says %t", r.Permission, w.Party, w.User, w.Answered, w.Oracle))
			}
		}
		if m.Failed > 0 {
			says = append(says, fmt.Sprintf("%s: %d of %d calls failed, the first by: %s", m.label(), m.Failed, m.Calls, m.Fault))
		}
	}
	if len(says) == 0 {
		return nil
	}
	return errors.New(strings.Join(says, "\n"))
}

// JSON writes the report for programs.
func (r Report) JSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Markdown writes the report for readers.
func (r Report) Markdown(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# What a check costs\n\n| | |\n|---|---|\n")
	for _, row := range r.setting() {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], cell(row[1]))
	}
	b.WriteString("\nLatencies and processor time are microseconds.\n\n")
	b.WriteString("| | calls | calls/s | p50 | p90 | p99 | p99.9 | max | CPU per call | wrong | failed |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, m := range r.Measurements {
		fmt.Fprintf(&b, "| %s | %d | %.0f | %s | %s | %d | %d |\n", cell(m.label()), m.Calls, m.PerSecond, m.Latency.cells(), m.CPU.cell(), m.Wrong, m.Failed)
		if m.Late != nil {
			fmt.Fprintf(&b, "| %s, sent late by | | | %s | | | |\n", cell(m.label()), m.Late.cells())
		}
	}
	r.ratios(&b)
	r.beside(&b)
	for _, m := range r.Measurements {
		if m.Unsent > 0 {
			fmt.Fprintf(&b, "\n%s: %d calls were due and had not been made when twice the time was over. The rate is more than is "+
				"answered, and the latencies are lower bounds.\n", m.label(), m.Unsent)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// setting is what the figures hold for.
func (r Report) setting() [][2]string {
	target := r.Target.Method + ", " + r.Target.Address
	if r.Target.Label != "" {
		target = r.Target.Label + ": " + target
	}
	rows := [][2]string{{"target", target}}
	for _, p := range r.Target.Processes {
		rows = append(rows, [2]string{"process", strings.TrimSpace(fmt.Sprintf("%d %s %s", p.PID, p.Program, p.Version))})
	}
	for _, p := range r.Peers {
		rows = append(rows, [2]string{"peer", fmt.Sprintf("%s (%s): %s, %s", p.Name, strings.Join(p.Versions, ", "), p.Method, p.Address)})
	}
	if r.ListParties > 0 {
		rows = append(rows, [2]string{"lists", fmt.Sprintf("the %d parties of user %s, by one caller, one list after another", r.ListParties, r.ListUser)})
	}
	load := fmt.Sprintf("closed loop, %d callers", r.Load.Concurrency)
	if r.Load.Loop == "open" {
		load = fmt.Sprintf("open loop, %g calls/s, at most %d under way", r.Load.Rate, r.Load.Concurrency)
	}
	return append(rows,
		[2]string{"permission", "party#" + r.Permission + " for a user"},
		[2]string{"consistency", string(r.Consistency)},
		[2]string{"world", fmt.Sprintf("%d parties, %d assignments, %d questions, SHA-256 %.12s…", r.World.Parties, r.World.Assignments, r.World.Questions, r.World.SHA256)},
		[2]string{"questions", fmt.Sprintf("uniform, %g %% denials, seed %d", r.Denials*100, r.Seed)},
		[2]string{"load", fmt.Sprintf("%s, %d connections, %g s after %g s of warm-up%s", load, r.Load.Connections, r.Load.Seconds, r.Load.WarmupSeconds, r.turns())},
		[2]string{"machine", fmt.Sprintf("%s, %d cores, %.1f GiB, %s, load average %g before", r.Machine.CPU, r.Machine.Cores, float64(r.Machine.Memory)/(1<<30), r.Machine.OS, r.Machine.Load)},
		[2]string{"made by", fmt.Sprintf("behalf %s, %s %s, %s", r.Behalf, r.Machine.Go, r.Machine.Arch, r.Time.UTC().Format(time.RFC3339))},
	)
}

// turns says what was measured in alternating slices.
func (r Report) turns() string {
	var names []string
	slices := 0
	for _, m := range r.Measurements {
		if m.Slices > 1 {
			names, slices = append(names, m.label()), max(slices, m.Slices)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s in turn, each in %d slices", strings.Join(names, ", "), slices)
}

func (l Latency) cells() string {
	return fmt.Sprintf("%.0f | %.0f | %.0f | %.0f | %.0f", l.P50, l.P90, l.P99, l.P999, l.Max)
}

func (c *CPU) cell() string {
	if c == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", c.MicrosPerCall)
}

// cell makes a text fit for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(text)
}
