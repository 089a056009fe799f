package cli

import (
	"strings"
	"testing"
)

func TestProgressPlain(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out)
	for done := range int64(101) {
		p.read(done, 100)
	}
	p.show("writing", 5, 0)
	p.end()
	var want strings.Builder
	for _, percent := range []string{"0", "10", "20", "30", "40", "50", "60", "70", "80", "90", "100"} {
		want.WriteString("reading: " + percent + " %\n")
	}
	want.WriteString("writing: 5\n")
	if out.String() != want.String() {
		t.Errorf("got\n%swant\n%s", out.String(), want.String())
	}
}

func TestProgressTerminal(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out)
	p.terminal = true
	p.read(50, 100)
	p.end()
	want := "\r\x1b[Kreading   [####################....................]  50 %\r\x1b[K"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
