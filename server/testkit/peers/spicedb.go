package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
)

// startSpiceDB starts SpiceDB with the schema and relationships of Behalf. What it is told
// beyond its defaults is where to listen and to speak to nobody outside.
func startSpiceDB(h *house, source *behalf) (description, error) {
	d := description{Name: "SpiceDB", API: "authzed", Token: rand.Text()}
	version, err := versionOf(h.program(spiceDBName))
	if err != nil {
		return d, err
	}
	db, err := h.database()
	if err != nil {
		return d, err
	}
	store := []string{"--datastore-engine", "postgres", "--datastore-conn-uri", db.uri, "--skip-release-check"}
	if err := h.once(spiceDBName, append([]string{"datastore", "migrate", "head"}, store...)...); err != nil {
		return d, err
	}
	metrics, err := h.freePort()
	if err != nil {
		return d, err
	}
	if d.Address, err = h.freePort(); err != nil {
		return d, err
	}
	server, err := h.start(spiceDBName, append([]string{
		"serve", "--grpc-addr", d.Address, "--grpc-preshared-key", d.Token, "--metrics-addr", metrics, "--telemetry-endpoint", "",
	}, store...)...)
	if err != nil {
		return d, err
	}
	d.Versions, d.Processes = []string{version, "Postgres " + db.version}, []int{server.id, db.process}

	conn, err := dial(d.Address, d.Token)
	if err != nil {
		return d, err
	}
	defer func() { _ = conn.Close() }()
	schema, err := source.schema(h.ctx)
	if err != nil {
		return d, err
	}
	err = h.await(server, func(ctx context.Context) error {
		_, err := v1.NewSchemaServiceClient(conn).WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: schema}, grpc.WaitForReady(true))
		return err
	})
	if err != nil {
		return d, fmt.Errorf("write the schema: %w", err)
	}
	loaded, err := importInto(h.ctx, conn, source)
	if err != nil {
		return d, fmt.Errorf("import relationships: %w", err)
	}
	fmt.Fprintf(h.says, "SpiceDB, %s, at %s holds %d relationships\n", version, d.Address, loaded)
	return d, db.analyze(h.ctx)
}

// importInto imports the relationships of Behalf, and returns how many.
func importInto(ctx context.Context, conn *grpc.ClientConn, source *behalf) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := v1.NewPermissionsServiceClient(conn).ImportBulkRelationships(ctx)
	if err != nil {
		return 0, err
	}
	err = source.export(ctx, func(part []*v1.Relationship) error {
		return stream.Send(&v1.ImportBulkRelationshipsRequest{Relationships: part})
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err // the end of the context undoes what was sent
	}
	answer, err := stream.CloseAndRecv() // says why nothing more could be sent, if so
	return answer.GetNumLoaded(), err
}
