//go:build unix

package authn

import (
	"io/fs"
	"os"
	"syscall"
)

// lent reports whether root has let a group read a file, as Kubernetes does with secrets: whoever
// is not root reads them by the group, and can have no file of his own instead.
func lent(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0 && os.Geteuid() != 0 && info.Mode().Perm()&^0o640 == 0
}
