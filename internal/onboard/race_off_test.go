//go:build !race

package onboard_test

// raced reports whether the race detector watches.
const raced = false
