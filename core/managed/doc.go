// Package managed gives each user the credentials that the platform provisions
// at vendors, one per user and provider, and takes them back.
//
// What is to be done at a vendor is a task: a row of the user and the provider
// that is there from before the first request until the outcome is stored. A
// job of the queue does it, under a lock of the user and the provider, and again
// with growing pauses until it succeeds. So after a crash at any point there is
// a stored credential, or a task whose next attempt finds and replaces what an
// earlier one left at the vendor, or both; never neither.
//
// Locks can be lost. Every attempt raises the fence of its task, and its
// outcome is stored only if the fence still stands, so of two attempts at the
// same time the later one counts.
package managed
