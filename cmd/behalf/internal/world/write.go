package world

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// The files of a world.
const (
	WorldFile  = "world.jsonl"
	OracleFile = "oracle.jsonl"
	UsersFile  = "users.json"
)

// Source is the source that a world's register names.
const Source = "world"

// Write writes the register in the native format.
func (w *World) Write(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	header := struct {
		Kind   string `json:"kind"`
		Format string `json:"format"`
		Source string `json:"source"`
	}{"header", "behalf/v1", Source}
	if err := e.Encode(header); err != nil {
		return err
	}
	for i := range w.Parties {
		if err := e.Encode(&w.Parties[i]); err != nil {
			return err
		}
	}
	for _, a := range w.Assignments {
		if err := e.Encode(a.line()); err != nil {
			return err
		}
	}
	return nil
}

type assignmentLine struct {
	Kind      string `json:"kind"`
	From      string `json:"from"`
	Role      string `json:"role"`
	To        string `json:"to"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}

func (a Assignment) line() assignmentLine {
	l := assignmentLine{Kind: "assignment", From: fmt.Sprintf("party:%d", a.From), Role: a.Role, To: fmt.Sprintf("party:%d", a.To)}
	if !a.Expires.IsZero() {
		l.ExpiresAt = a.Expires.Format(time.RFC3339)
	}
	return l
}

// Save writes the register, the rows and the counted users into a directory, which is
// made when it does not exist.
func (w *World) Save(dir string, rows []Row) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return errors.Join(
		save(dir, WorldFile, w.Write),
		save(dir, OracleFile, func(out io.Writer) error {
			e := json.NewEncoder(out)
			for _, row := range rows {
				if err := e.Encode(row); err != nil {
					return err
				}
			}
			return nil
		}),
		save(dir, UsersFile, func(out io.Writer) error {
			e := json.NewEncoder(out)
			e.SetIndent("", " ")
			return e.Encode(w.Users)
		}),
	)
}

func save(dir, name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<16)
	if err := write(out); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return out.Flush()
}
