// Package picture fetches pictures that others chose and makes harmless ones of
// them: pixels that we drew ourselves. It refuses to know whose they are.
package picture
