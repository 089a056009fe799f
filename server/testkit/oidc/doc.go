// Package oidc runs a real OpenID provider for tests: the npm package oidc-provider, by the
// node of the machine.
//
// It owns the process, the packages it needs and the browser that logs in there. It refuses to stand in for a
// provider: where there is no node or the package cannot be had, tests are skipped and say
// so. Tests of the server and of deploy/run use it.
package oidc
