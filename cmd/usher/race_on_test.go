//go:build race

package main

// raced reports whether the race detector watches.
const raced = true

// crowdSize is how many accounts live through a day.
const crowdSize = 200
