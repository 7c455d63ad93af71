// Package account knows who the users are: it checks and signs the tokens they
// come with, and keeps what they told about themselves.
//
// A [Verifier] turns a bearer token into an [Identity] without asking the
// database, so a valid token is enough to be let in. [Service.Ensure] makes the
// user behind an identity on first sight.
//
// # Deletion
//
// [Service.Delete] writes, in one transaction, the record of a deletion, what is
// to be undone at vendors, and a job. The job does the steps in order, each safe to
// repeat and recorded when it is done, so that any process can go on where
// another one died. The record has a number that grows whenever a process takes
// the deletion up; a transaction of one that has lost it is refused, see
// db.WithFence, so that a late one cannot remove what belongs to a new account of
// the same user.
//
// Other processes may remember the user for a while. They are told to forget,
// and all steps are done once more when they have forgotten in any case. The
// record stays, and refuses tokens that are older than it.
package account
