//go:build unix

package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// makeDir makes the server's directory. A socket's path is short by law, so that it is
// made in /tmp wherever temporary files are else.
func makeDir() (string, error) {
	dir, err := os.MkdirTemp("/tmp", "behalf-postgres-")
	if err != nil || os.Getuid() != 0 {
		return dir, err
	}
	uid, gid, err := owner()
	if err != nil {
		return "", err
	}
	return dir, os.Chown(dir, uid, gid)
}

// asOwner makes a command run apart from the terminal's signals and, as Postgres refuses
// to be root, as the user that its package has made.
func asOwner(c *exec.Cmd, dir string) error {
	c.Dir = dir
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := owner()
	if err != nil {
		return err
	}
	c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

func owner() (uid, gid int, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, fmt.Errorf("root cannot run Postgres, and there is no user for it: %w", err)
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}
