package main

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// batch is how many tuples one write has.
const batch = 1000

// startOpenFGA starts OpenFGA with a model translated from the schema of Behalf, and with
// its relationships as far as the model knows them. What it is told beyond its defaults is
// where to listen, and limits that a world needs: tuples per write, the size of a model, and
// lists without an end at 1,000 results or 3 seconds.
func startOpenFGA(h *house, source *behalf) (description, error) {
	d := description{Name: "OpenFGA", API: "openfga", Permissions: h.permissions}
	version, err := versionOf(h.program(openFGAName))
	if err != nil {
		return d, err
	}
	schema, err := source.schema(h.ctx)
	if err != nil {
		return d, err
	}
	translated, err := translate(schema, h.permissions)
	if err != nil {
		return d, fmt.Errorf("translate the schema: %w", err)
	}
	db, err := h.database()
	if err != nil {
		return d, err
	}
	store := []string{"--datastore-engine", "postgres", "--datastore-uri", db.uri}
	if err := h.once(openFGAName, append([]string{"migrate"}, store...)...); err != nil {
		return d, err
	}
	metrics, err := h.freePort()
	if err != nil {
		return d, err
	}
	if d.Address, err = h.freePort(); err != nil {
		return d, err
	}
	server, err := h.start(openFGAName, append([]string{
		"run", "--grpc-addr", d.Address, "--http-enabled=false", "--playground-enabled=false", "--metrics-addr", metrics,
		"--max-tuples-per-write", fmt.Sprint(batch), "--max-authorization-model-size-in-bytes", fmt.Sprint(1 << 20),
		"--request-timeout", "130s", "--http-upstream-timeout", "130s", "--listObjects-deadline", "120s", "--listObjects-max-results", "0",
	}, store...)...)
	if err != nil {
		return d, err
	}
	d.Versions, d.Processes = []string{version, "Postgres " + db.version}, []int{server.id, db.process}

	conn, err := dial(d.Address, "")
	if err != nil {
		return d, err
	}
	defer func() { _ = conn.Close() }()
	f := fga{client: openfgav1.NewOpenFGAServiceClient(conn), model: translated}
	if err := h.await(server, f.create); err != nil {
		return d, err
	}
	loaded, unknown, err := f.load(h.ctx, source)
	if err != nil {
		return d, fmt.Errorf("write relationships: %w", err)
	}
	d.Store, d.Model = f.store, f.id
	fmt.Fprintf(h.says, "OpenFGA, %s, at %s holds %d relationships; %d more are of no relation of its model\n", version, d.Address, loaded, unknown)
	return d, db.analyze(h.ctx)
}

// fga is a store in OpenFGA.
type fga struct {
	client    openfgav1.OpenFGAServiceClient
	model     *model
	store, id string
}

// create makes the store and its model.
func (f *fga) create(ctx context.Context) error {
	store, err := f.client.CreateStore(ctx, &openfgav1.CreateStoreRequest{Name: "behalf"}, grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("create a store: %w", err)
	}
	f.store = store.GetId()
	written, err := f.client.WriteAuthorizationModel(ctx, &openfgav1.WriteAuthorizationModelRequest{
		StoreId: f.store, SchemaVersion: "1.1", TypeDefinitions: f.model.definitions(),
	})
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	f.id = written.GetAuthorizationModelId()
	return nil
}

// load writes the relationships of Behalf that the model knows. It returns how many, and
// how many more there are.
func (f *fga) load(ctx context.Context, source *behalf) (loaded, unknown int, err error) {
	writers, ctx := errgroup.WithContext(ctx)
	writers.SetLimit(4)
	var next []*openfgav1.TupleKey
	write := func() {
		tuples := next
		next = nil
		if len(tuples) == 0 {
			return
		}
		loaded += len(tuples)
		writers.Go(func() error {
			_, err := f.client.Write(ctx, &openfgav1.WriteRequest{
				StoreId: f.store, AuthorizationModelId: f.id, Writes: &openfgav1.WriteRequestWrites{TupleKeys: tuples},
			})
			return err
		})
	}
	err = source.export(ctx, func(part []*v1.Relationship) error {
		for _, r := range part {
			tuple := f.model.tuple(r)
			if tuple == nil {
				unknown++
				continue
			}
			if next = append(next, tuple); len(next) == batch {
				write()
			}
		}
		return ctx.Err()
	})
	write()
	if failed := writers.Wait(); failed != nil {
		err = failed // it is why the export was ended
	}
	return loaded, unknown, err
}
