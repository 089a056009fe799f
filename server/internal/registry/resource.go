package registry

import (
	"context"
	"regexp"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

var (
	resourceID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)
	orgNumber  = regexp.MustCompile(`^([0-9]{9})?$`)
)

func checkResource(r records.Resource) error {
	if !resourceID.MatchString(r.ID) {
		return fault.Field("resource.id", "must be letters, digits, dots, underscores and dashes")
	}
	if r.Owner != "" && !ownerCode.MatchString(r.Owner) {
		return fault.Field("resource.owner", "must be the code of an organisation, such as ttd")
	}
	if !orgNumber.MatchString(r.OwnerNumber) {
		return fault.Field("resource.owner_number", "must be nine digits")
	}
	if err := checkText("resource.type", r.Type); err != nil {
		return err
	}
	return checkText("resource.title", r.Title)
}

// PutResource adds a resource, or replaces what is recorded of it.
func (s *Service) PutResource(ctx context.Context, r records.Resource) error {
	if err := checkResource(r); err != nil {
		return err
	}
	_, err := s.write(ctx, func(ctx context.Context, tx *records.Tx) ([]relation.Update, error) {
		return nil, tx.PutResource(ctx, r)
	})
	return err
}

// Resource returns a resource.
func (s *Service) Resource(ctx context.Context, id string) (records.Resource, error) {
	var found records.Resource
	err := s.records.Read(ctx, func(tx *records.Tx) error {
		r, ok, err := tx.Resource(ctx, id)
		if err == nil && !ok {
			err = noResource(id)
		}
		found = r
		return err
	})
	return found, err
}

func noResource(id string) error {
	return fault.New(fault.NotFound, ReasonResourceNotFound, "there is no record of resource %s", id)
}

// Resources returns a page of resources, by id, those of an owner unless it is empty, and
// after which the next page continues; that is empty at the end.
func (s *Service) Resources(ctx context.Context, owner, after string, size int) ([]records.Resource, string, error) {
	var found []records.Resource
	err := s.records.Read(ctx, func(tx *records.Tx) (err error) {
		found, err = tx.ResourcesAfter(ctx, owner, after, page(size))
		return err
	})
	if err != nil || len(found) < page(size) {
		return found, "", err
	}
	found = found[:len(found)-1]
	return found, found[len(found)-1].ID, nil
}

// DeleteResource removes a resource. Policies and rights stay.
func (s *Service) DeleteResource(ctx context.Context, id string) error {
	_, err := s.write(ctx, func(ctx context.Context, tx *records.Tx) ([]relation.Update, error) {
		_, known, err := tx.Resource(ctx, id)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, noResource(id)
		}
		return nil, tx.DeleteResource(ctx, id)
	})
	return err
}
