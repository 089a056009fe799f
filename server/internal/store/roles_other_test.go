//go:build !linux

package store_test

// roles are the processes that the test binary can be.
var roles = map[string]processFunc{"crash": crashWrite}
