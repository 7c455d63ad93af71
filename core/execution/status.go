package execution

// Status is the state of a run or of one node's run.
type Status string

// The states, as they stand on the wire.
const (
	Incomplete Status = "INCOMPLETE"
	Queued     Status = "QUEUED"
	Running    Status = "RUNNING"
	Completed  Status = "COMPLETED"
	Terminated Status = "TERMINATED"
	Failed     Status = "FAILED"
	Review     Status = "REVIEW"
)

// Enum lists the states.
func (Status) Enum() []string {
	return []string{"INCOMPLETE", "QUEUED", "RUNNING", "COMPLETED", "TERMINATED", "FAILED", "REVIEW"}
}

// Final reports whether the state never changes again.
func (s Status) Final() bool { return s == Completed || s == Terminated || s == Failed }

// open are the states of runs that are not at their end.
var open = []Status{Incomplete, Queued, Running, Review}
