//go:build !unix

package postgres

import (
	"errors"
	"os/exec"
)

var errNotHere = errors.New("the tests start Postgres on Unix only")

func makeDir() (string, error) { return "", errNotHere }

func asOwner(*exec.Cmd, string) error { return errNotHere }
