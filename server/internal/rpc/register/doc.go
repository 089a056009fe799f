// Package register is the gRPC RegisterService: behalf.v1 messages in and out of the
// register's values.
//
// It owns the translation and the pace of an import's stream. It refuses rules and
// writing, which are server/internal/register's. The composition root registers it.
package register
