// Package schema holds the contracts of Behalf: the gRPC API in proto, its REST
// mapping in http.yaml, the OpenAPI document made from both, the role catalogue in
// roles and the relations schema compiled from it in relations.
//
// It owns texts, not behaviour: it imports nothing of server or gateway. The gateway
// serves OpenAPI from it; the server loads the relations schema from it.
package schema
