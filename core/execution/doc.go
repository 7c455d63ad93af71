// Package execution runs agents.
//
// A run is a [machine]: the state of one graph in memory. Emissions of nodes
// change it, and every change leaves as a step for the [journal], which commits
// the steps of many runs in one transaction. Only after the commit do the next
// nodes start, so a crash loses nothing that was committed and repeats only
// what was under way.
//
// A run that is not at its end always has an owner or a job in the queue. The
// owner is a worker, a process that shows it lives by a growing beat. When the
// beat stops, another worker gives the run back to the queue and raises its
// fence, which makes the journal refuse late writes of the lost owner.
package execution
