//go:build !unix

package store

import "errors"

type lock struct{}

// takeLock refuses: without a lock that the system gives back when a process dies, two
// processes could write one file.
func takeLock(string, string) (*lock, error) {
	return nil, errors.New("the embedded store runs on Unix systems only")
}

func (l *lock) release() error { return nil }
