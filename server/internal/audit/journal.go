package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// journal is a file of JSON lines that are on their way to the table.
type journal struct {
	lines

	file *os.File
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &journal{file: f}, nil
}

func (j *journal) write(list []line) error { return j.put(j.file, list) }

// held returns the records that the file holds. What is no record is the beginning of one
// whose answer never left: the process was killed, or the disk full, in the middle of it.
func (j *journal) held() ([]line, error) {
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
