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

// lines writes values, each as a line of JSON, until one cannot be written.
type lines struct {
	encoder *json.Encoder
	err     error
}

func newLines(out io.Writer) *lines {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return &lines{encoder: e}
}

func (l *lines) write(v any) {
	if l.err == nil {
		l.err = l.encoder.Encode(v)
	}
}

type header struct {
	Kind   string `json:"kind"`
	Format string `json:"format"`
	Source string `json:"source"`
}

// partyLine is a party as a line of the native format.
type partyLine struct {
	Line       string `json:"kind"` // always "party"
	Type       string `json:"type"`
	ID         int64  `json:"partyId"`
	UUID       string `json:"partyUuid"`
	OrgNumber  string `json:"orgNumber,omitempty"`
	NationalID string `json:"nationalId,omitempty"`
	Name       string `json:"name"`
	UnitType   string `json:"unitType,omitempty"`
	MainUnit   string `json:"mainUnit,omitempty"`
	DeletedOn  string `json:"deletedOn,omitempty"`
	BirthDate  string `json:"birthDate,omitempty"`
	UserID     int64  `json:"userId,omitempty"`
	Login      bool   `json:"login,omitempty"`
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

// Make makes a world and writes its register into a directory, which is made when it does not
// exist.
func Make(c Config, dir string) (w *World, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	err = save(dir, WorldFile, func(out io.Writer) error {
		w, err = New(c, out)
		return err
	})
	return w, err
}

// Save writes the rows and the counted users into a directory beside the register.
func (w *World) Save(dir string, rows []Row) error {
	return errors.Join(
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
