// Package credential finds the credentials that users run blocks with. It
// offers the operator's own, the system credentials of the providers that are
// in use.
package credential
