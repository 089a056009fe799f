package audit

import (
	"bytes"
	"io"
)

// lines writes records as lines of JSON.
type lines struct {
	altinn bool
	torn   bool // the last line has no end
	buffer bytes.Buffer
}

// put writes records by one write. A line that an earlier one has left without its end gets
// it first.
func (l *lines) put(to io.Writer, list []line) error {
	l.buffer.Reset()
	if l.torn {
		l.buffer.WriteByte('\n')
	}
	for _, one := range list {
		if l.altinn {
			l.buffer.Write(one.altinn)
		} else {
			l.buffer.Write(one.native)
		}
		l.buffer.WriteByte('\n')
	}
	n, err := to.Write(l.buffer.Bytes())
	if n > 0 {
		l.torn = n < l.buffer.Len()
	}
	return err
}
