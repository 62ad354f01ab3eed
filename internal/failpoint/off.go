//go:build !failpoint

package failpoint

// Enabled tells whether the program was built with the tag failpoint.
const Enabled = false

// Hit marks a step at which the process may end, panic or be held.
func Hit(name string) {}

// Fail marks a step that may fail besides. Without the tag it returns nil.
func Fail(name string) error { return nil }
