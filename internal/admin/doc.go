// Package admin is the domain of the console: who may do what, how a person
// signs in, what was done by whom, and the settings that an owner changes while
// the program runs. It refuses to know requests, pages and SQL.
package admin
