package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Database returns the URI of a new database, empty and gone when the test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.start(t)
	s.making.Lock()
	defer s.making.Unlock()
	return s.copy(t, "template0")
}

// Clone returns the URI of a new copy of the template of that name, gone when the test
// ends. The first test that asks for it has fill make it; no connection to it may be open
// when fill returns.
func (s *Server) Clone(t testing.TB, template string, fill func(ctx context.Context, uri string) error) string {
	t.Helper()
	s.start(t)
	s.making.Lock()
	defer s.making.Unlock()
	name, made := s.templates[template]
	if !made {
		name = fmt.Sprintf("template_%d", s.databases.Add(1))
		s.command(t, "CREATE DATABASE "+name+" TEMPLATE template0")
		if err := fill(t.Context(), s.uri(name)); err != nil {
			t.Fatalf("fill the template %s: %v", template, err)
		}
		if s.templates == nil {
			s.templates = make(map[string]string)
		}
		s.templates[template] = name
	}
	return s.copy(t, name)
}

// copy is for whoever holds the lock.
func (s *Server) copy(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	s.command(t, "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { s.command(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return s.uri(name)
}

// Cut ends every connection to a database and lets in no other, as a database that has died
// does. mend lets connections in again.
func (s *Server) Cut(t testing.TB, uri string) (mend func()) {
	t.Helper()
	config, err := pgx.ParseConfig(uri)
	if err != nil {
		t.Fatal(err)
	}
	s.command(t, "ALTER DATABASE "+config.Database+" ALLOW_CONNECTIONS false")
	// A process of the database that was told to end may answer once more before it does.
	s.command(t, fmt.Sprintf("SELECT pg_terminate_backend(pid, %d) FROM pg_stat_activity WHERE datname = '%s'", startTime.Milliseconds(), config.Database))
	return func() { s.command(t, "ALTER DATABASE "+config.Database+" ALLOW_CONNECTIONS true") }
}

// command runs a statement as the owner of the server.
func (s *Server) command(t testing.TB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime) // a test's own has ended when it cleans up
	defer cancel()
	conn, err := pgx.Connect(ctx, s.uri("postgres"))
	if err == nil {
		_, err = conn.Exec(ctx, statement)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
