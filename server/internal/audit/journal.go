package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// journal is a file of JSON lines that are on their way to the table.
type journal struct {
	file   *os.File
	torn   bool // the last line has no end
	buffer bytes.Buffer
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &journal{file: f}, nil
}

func (j *journal) write(list []line) error {
	j.buffer.Reset()
	if j.torn {
		j.buffer.WriteByte('\n')
	}
	fill(&j.buffer, list, false)
	n, err := j.file.Write(j.buffer.Bytes())
	if n > 0 {
		j.torn = n < j.buffer.Len()
	}
	return err
}

// lines returns the records that the file holds. What is no record is the beginning of one
// whose answer never left: the process was killed, or the disk full, in the middle of it.
func (j *journal) lines() ([]line, error) {
	text, err := os.ReadFile(j.file.Name())
	if err != nil {
		return nil, err
	}
	var list []line
	for one := range bytes.Lines(text) {
		whole := bytes.TrimSuffix(one, []byte("\n"))
		var e Entry
		if len(whole) == len(one) || json.Unmarshal(whole, &e) != nil {
			continue
		}
		list = append(list, line{entry: &e, native: whole})
	}
	return list, nil
}

// empty forgets what the file holds.
func (j *journal) empty() error {
	if err := j.file.Truncate(0); err != nil {
		return fmt.Errorf("empty %q: %w", j.file.Name(), err)
	}
	j.torn = false
	return nil
}
