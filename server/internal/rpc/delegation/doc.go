// Package delegation serves DelegationService of behalf.v1.
//
// It owns the translation between messages and server/internal/delegation. It refuses all
// rules: who may delegate what is decided there, who may call at all by
// server/internal/rpc/interceptor. The composition root registers it.
package delegation
