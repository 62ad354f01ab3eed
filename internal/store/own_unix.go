//go:build unix

package store

import (
	"os"
	"path/filepath"
	"syscall"
)

// ownAsDirectory gives files that root makes to the owner of their directory, which
// is who the program runs as. For everybody else they are right as they are.
func ownAsDirectory(files ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range files {
		info, err := os.Stat(filepath.Dir(name))
		if err != nil {
			return err
		}
		if dir, ok := info.Sys().(*syscall.Stat_t); ok {
			if err := os.Chown(name, int(dir.Uid), int(dir.Gid)); err != nil {
				return err
			}
		}
	}
	return nil
}
