//go:build !unix

package store

import "os"

// flock has nothing to lock with here; SQLite's own locks still keep the file whole.
func flock(*os.File) error { return nil }
