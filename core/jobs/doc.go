// Package jobs is the durable queue: work that is committed together with the
// data it belongs to, and done by whichever process has room.
//
// A kind of job is declared with [Handle] before the queue starts. Jobs are
// added inside transactions. A job whose process dies is made available again
// by [Queue.Rescue], which the owner of the processes' heartbeats calls.
package jobs
