// Package styleguide shows every component and every state of every merchant's
// page, for looking at and for the tests. It knows the models of views and sample
// words, and refuses to know requests and the service.
package styleguide
