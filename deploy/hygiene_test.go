package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// TestHygiene sends every row through every adapter and through the gateways that run.
func TestHygiene(t *testing.T) {
	if len(hygiene) < 60 {
		t.Fatalf("%d requests", len(hygiene))
	}
	w := startWorld(t, "", "")
	doors := adapters(t, w)
	var missing []string
	for _, g := range gateways {
		if find(g.program) == "" {
			missing = append(missing, g.program)
			continue
		}
		s, service := newSetup(t), startUpstream(t)
		s.behalf, s.service = w.http, service.address
		doors = append(doors, through(g.name+" itself", g.start(t, s, nil), service))
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	cells := []string{"request"}
	for _, d := range doors {
		cells = append(cells, d.name)
	}
	fmt.Fprintln(table, strings.Join(cells, "\t"))
	for _, r := range slices.Concat(sound, hygiene) {
		cells := []string{r.what}
		for _, d := range doors {
			status, s := d.send(t, r.told(w))
			cells = append(cells, outcome(status, s))
			if fault := r.fault(status, s); fault != "" {
				t.Errorf("%s: %s (%s): %s", d.name, r.what, r.request, fault)
				cells[len(cells)-1] += " !"
			}
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	_ = table.Flush()
	t.Logf("%d requests, and %d that try nothing, at %d doors: who passes, or the status\n%s", len(hygiene), len(sound), len(doors), text.String())
	if len(missing) > 0 {
		t.Skipf("sent through no %s: apt-get install %s", strings.Join(missing, ", "), strings.Join(missing, " "))
	}
}

// told returns the request with its credentials.
func (r row) told(w *world) told {
	method, target, _ := strings.Cut(r.request, " ")
	out := told{method: method, target: target}
	if r.as != "" {
		out.headers = append(out.headers, "Authorization: Bearer "+w.kari)
	}
	headers, body, _ := strings.Cut(r.headers, "\n\n")
	if headers != "" {
		out.headers = append(out.headers, strings.Split(headers, "\n")...)
	}
	out.body = strings.ReplaceAll(body, "\n", "\r\n")
	return out
}

// fault says what is wrong with what became of a request.
func (r row) fault(status int, s *seen) string {
	switch {
	case s == nil && r.must == "pass":
		return fmt.Sprintf("is kept out with %d", status)
	case s == nil:
		return ""
	case r.must == "stay out":
		return fmt.Sprintf("passes as %q", s.identity())
	}
	return violation(r.as != "", *s)
}

func outcome(status int, s *seen) string {
	switch {
	case s == nil && status == 0:
		return "closed"
	case s == nil:
		return fmt.Sprint(status)
	}
	parts := strings.Split(s.identity(), "|")
	user := parts[0]
	switch {
	case user == "":
		return "nobody"
	case user != fmt.Sprint(kari):
		return user
	case len(parts) > 2 && parts[2] != "":
		return "Kari:" + parts[2]
	}
	return "Kari"
}
