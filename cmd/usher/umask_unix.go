//go:build unix

package main

import "syscall"

// umask makes every file of this process readable by its owner only: SQLite
// creates its files with 0644 otherwise.
func umask() { syscall.Umask(0o077) }
