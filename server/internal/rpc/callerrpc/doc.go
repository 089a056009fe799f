// Package callerrpc serves behalf.v1.CallerService: who a caller is, and the API keys of
// services.
//
// It owns the translation between messages and authn. It refuses to decide who may
// call: server/internal/rpc/interceptor has done so. server.New registers it.
package callerrpc
