//go:build race

package web

// raced reports whether the race detector watches.
const raced = true
