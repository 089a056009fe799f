// Package policy serves behalf.v1.PolicyService.
//
// It owns the translation between the proto contract and server/internal/policy, and the
// ETags that come and go as metadata. It refuses rules: what a policy is, and who may put
// one, are decided elsewhere. Package server registers it.
package policy
