// Package enforcement is the gRPC EnforcementService: whether a request at an API gateway may
// pass.
//
// It owns the shape of question and answer. It refuses to judge: server/internal/enforce
// does. What a verdict does not say in words of the contract lets nobody in. The composition
// root registers it, open to the server's own gateway only.
package enforcement
