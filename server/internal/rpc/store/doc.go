// Package store serves behalf.v1.StoreService: copies of all that a server keeps, and the
// relations schema.
//
// It owns how a copy is cut into messages. It refuses to make one: server/internal/store
// copies the file, server/internal/register says what sources have said. server.New
// registers it.
package store
