// Package bench measures the whole server over HTTP. Its README says how to
// compare figures.
package bench
