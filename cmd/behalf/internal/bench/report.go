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
	World        World         `json:"world"`
	Permission   string        `json:"permission"`
	Consistency  Consistency   `json:"consistency"`
	Denials      float64       `json:"denials"` // their share
	Seed         uint64        `json:"seed"`
	Load         LoadReport    `json:"load"`
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
			says = append(says, fmt.Sprintf("%s: %d of %d answers are not the oracle's", m.Name, m.Wrong, m.Allowed+m.Denied))
			for _, w := range m.Examples {
				says = append(says, fmt.Sprintf("%s of party:%s for user:%s is answered %t, the oracle says %t", r.Permission, w.Party, w.User, w.Answered, w.Oracle))
			}
		}
		if m.Failed > 0 {
			says = append(says, fmt.Sprintf("%s: %d of %d calls failed, the first by: %s", m.Name, m.Failed, m.Calls, m.Fault))
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
		fmt.Fprintf(&b, "| %s | %d | %.0f | %s | %s | %d | %d |\n", m.Name, m.Calls, m.PerSecond, m.Latency.cells(), m.CPU.cell(), m.Wrong, m.Failed)
		if m.Late != nil {
			fmt.Fprintf(&b, "| %s, sent late by | | | %s | | | |\n", m.Name, m.Late.cells())
		}
	}
	r.ratios(&b)
	for _, m := range r.Measurements {
		if m.Unsent > 0 {
			fmt.Fprintf(&b, "\n%s: %d calls were due and had not been made when twice the time was over. The rate is more than is "+
				"answered, and the latencies are lower bounds.\n", m.Name, m.Unsent)
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
	load := fmt.Sprintf("closed loop, %d callers", r.Load.Concurrency)
	if r.Load.Loop == "open" {
		load = fmt.Sprintf("open loop, %g calls/s, at most %d under way", r.Load.Rate, r.Load.Concurrency)
	}
	return append(rows,
		[2]string{"permission", "party#" + r.Permission + " for a user"},
		[2]string{"consistency", string(r.Consistency)},
		[2]string{"world", fmt.Sprintf("%d parties, %d assignments, %d questions, SHA-256 %.12s…", r.World.Parties, r.World.Assignments, r.World.Questions, r.World.SHA256)},
		[2]string{"questions", fmt.Sprintf("uniform, %g %% denials, seed %d", r.Denials*100, r.Seed)},
		[2]string{"load", fmt.Sprintf("%s, %d connections, %g s after %g s of warm-up", load, r.Load.Connections, r.Load.Seconds, r.Load.WarmupSeconds)},
		[2]string{"machine", fmt.Sprintf("%s, %d cores, %.1f GiB, %s, load average %g before", r.Machine.CPU, r.Machine.Cores, float64(r.Machine.Memory)/(1<<30), r.Machine.OS, r.Machine.Load)},
		[2]string{"made by", fmt.Sprintf("behalf %s, %s %s, %s", r.Behalf, r.Machine.Go, r.Machine.Arch, r.Time.UTC().Format(time.RFC3339))},
	)
}

// ratios relates the other measurements to the floor, which is the last.
func (r Report) ratios(b *strings.Builder) {
	if len(r.Measurements) < 2 {
		return
	}
	floor := r.Measurements[len(r.Measurements)-1]
	if floor.Name != FloorName || floor.PerSecond == 0 {
		return
	}
	for _, m := range r.Measurements[:len(r.Measurements)-1] {
		fmt.Fprintf(b, "\n%s ÷ %s: calls/s %.2f, p50 %.2f, p99 %.2f", m.Name, floor.Name,
			m.PerSecond/floor.PerSecond, m.Latency.P50/floor.Latency.P50, m.Latency.P99/floor.Latency.P99)
		if m.CPU != nil && floor.CPU != nil && floor.CPU.MicrosPerCall > 0 {
			fmt.Fprintf(b, ", CPU per call %.2f", m.CPU.MicrosPerCall/floor.CPU.MicrosPerCall)
		}
		b.WriteString(".\n")
	}
	b.WriteString("\n")
	for _, m := range r.Measurements {
		fmt.Fprintf(b, "- %s: %s\n", m.Name, m.What)
	}
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
