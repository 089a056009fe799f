package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// behalf is the server whose relationships the peers get.
type behalf struct{ conn *grpc.ClientConn }

// dialBehalf connects to a Behalf on this machine. No other gets its key in the clear.
func dialBehalf(o options) (*behalf, error) {
	host, _, err := net.SplitHostPort(o.address)
	if err != nil {
		return nil, fmt.Errorf("-address: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-address: %s is another machine", o.address)
	}
	token := os.Getenv("BEHALF_TOKEN")
	if token == "" {
		text, err := os.ReadFile(filepath.Join(o.dataDir, "admin.key"))
		if err != nil {
			return nil, fmt.Errorf("-data-dir: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	conn, err := dial(o.address, token)
	return &behalf{conn}, err
}

func (b *behalf) close() error { return b.conn.Close() }

// schema returns the live schema.
func (b *behalf) schema(ctx context.Context) (string, error) {
	answer, err := v1.NewSchemaServiceClient(b.conn).ReadSchema(ctx, &v1.ReadSchemaRequest{})
	if err != nil {
		return "", fmt.Errorf("read the schema of Behalf: %w", err)
	}
	return answer.GetSchemaText(), nil
}

// export passes all relationships on, as they come.
func (b *behalf) export(ctx context.Context, take func([]*v1.Relationship) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := v1.NewPermissionsServiceClient(b.conn).ExportBulkRelationships(ctx, &v1.ExportBulkRelationshipsRequest{
		Consistency:   &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		OptionalLimit: 1000,
	})
	if err != nil {
		return fmt.Errorf("export the relationships of Behalf: %w", err)
	}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("export the relationships of Behalf: %w", err)
		}
		if err := take(part.GetRelationships()); err != nil {
			return err
		}
	}
}

// dial connects to a server on this machine.
func dial(address, token string) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(token)))
	}
	return grpc.NewClient(address, options...)
}

// bearer puts a token into every call.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (b bearer) RequireTransportSecurity() bool { return false }
