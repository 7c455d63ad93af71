package webhook

import (
	"context"
	"time"

	"agentserver/core"
)

const (
	// intakeBatch deliveries go into one transaction.
	intakeBatch = 200
	// intakeQueue deliveries wait for it before more are refused; their bytes have
	// a bound of their own.
	intakeQueue = 10_000
	// storeTimeout bounds a transaction, in case the database does not answer.
	storeTimeout = 15 * time.Second
)

// intake is the one writer of deliveries of a process: it commits those that
// arrive at about the same time together, which makes many a second possible.
type intake struct {
	in    chan *arrival
	ended chan struct{}
	store func(ctx context.Context, batch []*deliveryRow) (fresh map[string]bool, err error)
}

// arrival is a delivery on its way into the database.
type arrival struct {
	row  *deliveryRow
	done chan outcome
}

type outcome struct {
	fresh bool
	err   error
}

func newIntake(store func(context.Context, []*deliveryRow) (map[string]bool, error)) *intake {
	return &intake{in: make(chan *arrival, intakeQueue), ended: make(chan struct{}), store: store}
}

var errBusy = core.Errorf(core.Unavailable, "Too many deliveries arrive at once; send it again")

// put stores a delivery. It is committed when put returns nil; fresh tells
// whether it is new.
func (i *intake) put(row *deliveryRow) (fresh bool, err error) {
	a := &arrival{row, make(chan outcome, 1)}
	select {
	case i.in <- a:
	default:
		return false, errBusy
	}
	// A sender that leaves is waited for all the same: until the delivery is
	// written, it takes memory.
	select {
	case o := <-a.done:
		return o.fresh, o.err
	case <-i.ended:
		return false, core.Errorf(core.Unavailable, "the server is stopping")
	}
}

// run stores what arrives until ctx ends.
func (i *intake) run(ctx context.Context) {
	defer close(i.ended)
	for {
		select {
		case a := <-i.in:
			i.write(ctx, i.collect(a))
		case <-ctx.Done():
			return
		}
	}
}

func (i *intake) collect(first *arrival) []*arrival {
	batch := []*arrival{first}
	for len(batch) < intakeBatch {
		select {
		case a := <-i.in:
			batch = append(batch, a)
		default:
			return batch
		}
	}
	return batch
}

// write stores a batch. When it fails, each delivery is stored alone, so that one
// that cannot be stored does not fail the others.
func (i *intake) write(ctx context.Context, batch []*arrival) {
	rows := make([]*deliveryRow, len(batch))
	for n, a := range batch {
		rows[n] = a.row
	}
	fresh, err := i.tryStore(ctx, rows)
	if err == nil || len(batch) == 1 {
		for _, a := range batch {
			a.done <- outcome{fresh[a.row.ID], err}
		}
		return
	}
	failed := 0 // in a row: then it is not for what they hold
	for n, a := range batch {
		if failed == 2 {
			for _, left := range batch[n:] {
				left.done <- outcome{err: err}
			}
			return
		}
		if fresh, err = i.tryStore(ctx, rows[n:n+1]); err != nil {
			failed++
		} else {
			failed = 0
		}
		a.done <- outcome{fresh[a.row.ID], err}
	}
}

func (i *intake) tryStore(ctx context.Context, rows []*deliveryRow) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return i.store(ctx, rows)
}
