package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// informationFile is the file of a directory with what decisions know besides the register:
// one instance of an app, or one role in an estate, a line.
const informationFile = "information.jsonl"

// informationLine is a line of it: one of the two.
type informationLine struct {
	Instance   json.RawMessage `json:"instance,omitempty"`
	EstateRole json.RawMessage `json:"estateRole,omitempty"`
}

// maxInformationLine bounds a line.
const maxInformationLine = 1 << 20

// readInformation reads a file with instances and roles in estates.
func (w *companions) readInformation(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxInformationLine)
	var faults []error
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := w.readInformationLine(lines.Bytes()); err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", name, n, err))
		}
	}
	return errors.Join(append(faults, lines.Err())...)
}

func (w *companions) readInformationLine(text []byte) error {
	var line informationLine
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&line); err != nil {
		return err
	}
	switch {
	case line.Instance != nil && line.EstateRole == nil:
		instance := &behalfv1.Instance{}
		w.instances = append(w.instances, instance)
		return protojson.Unmarshal(line.Instance, instance)
	case line.EstateRole != nil && line.Instance == nil:
		role := &behalfv1.EstateRole{}
		w.estateRoles = append(w.estateRoles, role)
		return protojson.Unmarshal(line.EstateRole, role)
	}
	return errors.New(`a line is {"instance":{…}} or {"estateRole":{…}}`)
}

// exportInformation writes such a file, if there is anything to be in it.
func exportInformation(ctx context.Context, service behalfv1.InformationServiceClient, dir string) error {
	var out bytes.Buffer
	write := func(kind string, m proto.Message) error {
		text, err := protojson.Marshal(m)
		if err != nil {
			return err
		}
		// Through encoding/json, as protojson varies its white space.
		line, err := json.Marshal(map[string]json.RawMessage{kind: text})
		out.Write(append(line, '\n'))
		return err
	}
	for token := ""; ; {
		page, err := service.ListInstances(ctx, &behalfv1.ListInstancesRequest{PageToken: token})
		if err != nil {
			return err
		}
		for _, i := range page.GetInstances() {
			if err := write("instance", i); err != nil {
				return err
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	roles, err := service.ListEstateRoles(ctx, &behalfv1.ListEstateRolesRequest{})
	if err != nil {
		return err
	}
	for _, r := range roles.GetEstateRoles() {
		if err := write("estateRole", r); err != nil {
			return err
		}
	}
	if out.Len() == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, informationFile), out.Bytes(), 0o600)
}
