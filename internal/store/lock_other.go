//go:build !unix

package store

// lockFile has nothing to lock with here; SQLite's own locks still keep the file whole.
func lockFile(string) (unlock func() error, err error) { return func() error { return nil }, nil }
