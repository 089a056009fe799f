// Package rest is the native REST API, /v1/…: the gRPC contract as grpc-gateway maps it.
//
// It owns what grpc-gateway leaves open or answers too kindly: bodies must be JSON of
// bounded size, without unknown fields and without anything behind the value; unknown
// query parameters are refused by name; errors are problem documents. Numbers of 64 bits are JSON
// strings, as the proto3 JSON mapping has it, because a JavaScript number cannot hold them;
// both forms are read. Fields that are zero are written.
//
// It refuses credentials and headers: the metadata of a call is in its context already, put
// there by package gateway, which calls this package.
package rest
