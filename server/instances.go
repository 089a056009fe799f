package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/instancepip"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// validateInstancePIP refuses what is no address of a system that knows instances.
func (c Config) validateInstancePIP() error {
	if c.InstancePIP == "" {
		if c.InstancePIPTokenFile != "" {
			return errors.New("--instance-pip-token-file: goes with --instance-pip")
		}
		return nil
	}
	if _, err := instancepip.New(instancepip.Config{URL: c.InstancePIP}); err != nil {
		return fmt.Errorf("--instance-pip: %w", err)
	}
	return nil
}

// newInstances returns where instances are asked for.
func (s *Server) newInstances() (decision.Instances, error) {
	if s.cfg.InstancePIP == "" {
		return instanceRecords{s.records}, nil
	}
	authorization := ""
	if file := s.cfg.InstancePIPTokenFile; file != "" {
		text, err := os.ReadFile(file)
		if err = cmp.Or(err, notEmpty(text)); err != nil {
			return nil, fmt.Errorf("--instance-pip-token-file: %w", err)
		}
		authorization = "Bearer " + strings.TrimSpace(string(text))
	}
	return instancepip.New(instancepip.Config{URL: s.cfg.InstancePIP, Authorization: authorization})
}

func notEmpty(text []byte) error {
	if strings.TrimSpace(string(text)) == "" {
		return errors.New("the file is empty")
	}
	return nil
}

// instanceRecords finds instances on record.
type instanceRecords struct{ records *records.Store }

// Instance implements decision.Instances.
func (r instanceRecords) Instance(ctx context.Context, id string) (decision.Instance, bool, error) {
	of, guid, err := decision.SplitInstance(id)
	if err != nil {
		return decision.Instance{}, false, err
	}
	found, ok, err := r.records.Instance(ctx, of, guid)
	return decision.Instance{
		ID: id, Org: found.Org, App: found.App, Task: found.Task, EndEvent: found.EndEvent, Party: found.Party,
	}, ok, err
}
