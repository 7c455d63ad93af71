// Package account knows who the users are: it checks and signs the tokens they
// come with, and keeps what they told about themselves.
//
// A [Verifier] turns a bearer token into an [Identity] without asking the
// database, so a valid token is enough to be let in. [Service.Ensure] makes the
// user behind an identity on first sight.
package account
