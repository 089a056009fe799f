package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// progress shows how far an import has come: as one line that is written over on a
// terminal, else as a line each tenth of the way or each five seconds.
type progress struct {
	out      io.Writer
	terminal bool

	mu    sync.Mutex // files are read and answers received at the same time
	phase string
	tenth int64
	last  time.Time
	drawn bool
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, last: time.Now()}
	if f, ok := out.(*os.File); ok {
		p.terminal = term.IsTerminal(int(f.Fd()))
	}
	return p
}

// read shows how much of the files has been read.
func (p *progress) read(done, total int64) { p.show("reading", done, total) }

// server shows what the server does.
func (p *progress) server(m *behalfv1.ImportProgress) {
	switch m.GetPhase() {
	case behalfv1.ImportPhase_IMPORT_PHASE_COMPARING:
		p.show("comparing", m.GetDone(), m.GetTotal())
	case behalfv1.ImportPhase_IMPORT_PHASE_WRITING:
		p.show("writing", m.GetDone(), m.GetTotal())
	case behalfv1.ImportPhase_IMPORT_PHASE_UNSPECIFIED, behalfv1.ImportPhase_IMPORT_PHASE_READING:
		// Reading is shown by the bytes of the files, which have a total.
	}
}

func (p *progress) show(phase string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	tenth := int64(-1)
	if total > 0 {
		tenth = done * 10 / total
	}
	interval := 5 * time.Second
	if p.terminal {
		interval = 100 * time.Millisecond
	}
	turn := phase != p.phase || !p.terminal && tenth > p.tenth
	if !turn && now.Sub(p.last) < interval {
		return
	}
	p.phase, p.tenth, p.last = phase, tenth, now
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s", bar(phase, done, total))
		p.drawn = true
		return
	}
	fmt.Fprintln(p.out, plain(phase, done, total))
}

// end takes the line away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}

func plain(phase string, done, total int64) string {
	if total <= 0 {
		return fmt.Sprintf("%s: %d", phase, done)
	}
	return fmt.Sprintf("%s: %d %%", phase, min(100, done*100/total))
}

func bar(phase string, done, total int64) string {
	const width = 40
	if total <= 0 {
		return plain(phase, done, total)
	}
	full := int(min(width, done*width/total))
	return fmt.Sprintf("%-9s [%s%s] %3d %%", phase, strings.Repeat("#", full), strings.Repeat(".", width-full), min(100, done*100/total))
}

// count shows a phase that counts.
func (p *progress) count(phase string) func(done, total int) {
	return func(done, total int) { p.show(phase, int64(done), int64(total)) }
}
