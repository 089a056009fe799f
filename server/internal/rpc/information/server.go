package information

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Instances keeps instances.
type Instances interface {
	Instances(ctx context.Context, of party.ID, after records.Instance, limit int, f func(records.Instance) error) error
	PutInstance(ctx context.Context, i records.Instance) error
	DeleteInstance(ctx context.Context, of party.ID, guid string) (bool, error)
}

// Register writes relationships that name parties.
type Register interface {
	Relate(ctx context.Context, r relation.Relationship, parties []party.ID) (relation.Revision, error)
	Unrelate(ctx context.Context, r relation.Relationship) (relation.Revision, error)
}

// Config is what a Server needs.
type Config struct {
	Instances Instances
	Estates   *decision.Estates
	Parties   *party.Directory
	Register  Register
}

// Server is the InformationService.
type Server struct {
	behalfv1.UnimplementedInformationServiceServer

	instances Instances
	estates   *decision.Estates
	parties   *party.Directory
	writes    Register
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Instances == nil || c.Estates == nil || c.Parties == nil || c.Register == nil {
		return nil, errors.New("rpc/information: instances, estates, parties and a register are required")
	}
	return &Server{instances: c.Instances, estates: c.Estates, parties: c.Parties, writes: c.Register}, nil
}

// defaultPage is how many instances a page has when the call does not say.
const defaultPage = 1000

// PutInstance records an instance.
func (s *Server) PutInstance(ctx context.Context, req *behalfv1.PutInstanceRequest) (*behalfv1.PutInstanceResponse, error) {
	i := req.GetInstance()
	of, guid, err := instanceID("instance.id", i.GetId())
	if err != nil {
		return nil, err
	}
	err = s.instances.PutInstance(ctx, records.Instance{
		Party: of, GUID: guid, Org: i.GetOrg(), App: i.GetApp(), Task: i.GetTask(), EndEvent: i.GetEndEvent(),
	})
	if err != nil {
		return nil, err
	}
	return &behalfv1.PutInstanceResponse{}, nil
}

// DeleteInstance forgets an instance.
func (s *Server) DeleteInstance(ctx context.Context, req *behalfv1.DeleteInstanceRequest) (*behalfv1.DeleteInstanceResponse, error) {
	of, guid, err := instanceID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	deleted, err := s.instances.DeleteInstance(ctx, of, guid)
	if err != nil {
		return nil, err
	}
	return &behalfv1.DeleteInstanceResponse{Deleted: deleted}, nil
}

// ListInstances returns a page of instances.
func (s *Server) ListInstances(ctx context.Context, req *behalfv1.ListInstancesRequest) (*behalfv1.ListInstancesResponse, error) {
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	var after records.Instance
	if token := req.GetPageToken(); token != "" {
		var err error
		if after.Party, after.GUID, err = instanceID("page_token", token); err != nil {
			return nil, fault.New(fault.Invalid, fault.ReasonInvalidPageToken, "the page token is not one of this list")
		}
	}
	out := &behalfv1.ListInstancesResponse{}
	err := s.instances.Instances(ctx, party.ID(req.GetPartyId()), after, size+1, func(i records.Instance) error {
		if len(out.Instances) == size {
			out.NextPageToken = out.Instances[size-1].GetId()
			return nil
		}
		out.Instances = append(out.Instances, &behalfv1.Instance{
			Id: fmt.Sprintf("%d/%s", i.Party, i.GUID), Org: i.Org, App: i.App, Task: i.Task, EndEvent: i.EndEvent,
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// instanceID reads the id of an instance.
func instanceID(field, id string) (party.ID, string, error) {
	owner, guid, _ := strings.Cut(id, "/")
	of, err := strconv.ParseInt(owner, 10, 64)
	if err != nil || of <= 0 || guid == "" {
		return 0, "", fault.Field(field, "must be <partyId>/<UUID>")
	}
	return party.ID(of), strings.ToLower(guid), nil
}
