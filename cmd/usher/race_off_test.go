//go:build !race

package main

// raced reports whether the race detector watches.
const raced = false

// crowdSize is how many accounts live through a day.
const crowdSize = 1000
