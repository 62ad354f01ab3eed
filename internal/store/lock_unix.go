//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// flock locks f against other processes until it is closed. The lock goes with
// the process, however that ends.
func flock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}
