//go:build !unix

package main

// umask does nothing: here files take their permissions from the directory.
func umask() {}
