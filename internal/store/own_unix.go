//go:build unix

package store

import (
	"os"
	"path/filepath"
	"syscall"
)

// ownAsDirectory gives a file that root made to the owner of its directory, which is
// who the program runs as. For everybody else it is right as it is.
func ownAsDirectory(file string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(file))
	if err != nil {
		return err
	}
	if dir, ok := info.Sys().(*syscall.Stat_t); ok {
		err = os.Chown(file, int(dir.Uid), int(dir.Gid))
	}
	return err
}
