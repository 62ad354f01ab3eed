// Package failpoint lets a test end, break or hold the program at a named step.
// Steps are marked with Hit and Fail. Without the build tag failpoint both are
// empty and cost nothing; with it the environment variable USHER_FAILPOINT says
// what happens where, as a list separated by commas of
//
//	NAME=ACTION[@FIRST][xCOUNT]
//
// ACTION is kill (SIGKILL to the own process), panic, err (only at a Fail) or
// pause:DURATION. It is carried out at the FIRST time that the step is reached
// (default 1) and COUNT times in all (default: from then on always).
//
// The package knows nothing of what the steps are.
package failpoint
