package server

import (
	"github.com/behalf-authz/behalf/server/internal/registry"
	registryrpc "github.com/behalf-authz/behalf/server/internal/rpc/registry"
)

// newRegistry returns what keeps system users, access lists and resources, and its service.
func (s *Server) newRegistry() (*registry.Service, *registryrpc.Server, error) {
	registered, err := registry.New(registry.Config{Records: s.records, Relations: s.graph, Reader: s.engine})
	if err != nil {
		return nil, nil, err
	}
	service, err := registryrpc.New(registryrpc.Config{Registry: registered, Parties: s.directory})
	return registered, service, err
}
