package account

import (
	"context"
	"errors"
	"time"

	"agentserver/core/bus"
)

// deletedTopic carries the ids of users who are being deleted.
const deletedTopic = "account.deleted"

const (
	// firstSubscribe bounds how long Listen waits for the bus.
	firstSubscribe = time.Second
	// subscribeAgain is how often a bus that does not answer is asked again.
	subscribeAgain = 5 * time.Second
)

// Listen makes this process forget users as soon as another one begins to
// delete them, until ctx ends. Without it, or while the bus does not answer, it
// takes as long as Ensure remembers users.
func (s *Service) Listen(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, firstSubscribe)
	defer cancel()
	sub, err := s.deletion.Bus.Subscribe(limited, deletedTopic)
	go s.listen(ctx, sub, err)
}

func (s *Service) listen(ctx context.Context, sub bus.Subscription, err error) {
	for ctx.Err() == nil && !errors.Is(err, bus.ErrClosed) {
		if err == nil {
			s.forgetAsTold(ctx, sub)
			sub.Close()
		} else {
			s.deletion.Log.Warn("the bus does not answer; accounts deleted by other processes are noticed later", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(subscribeAgain):
			}
		}
		sub, err = s.deletion.Bus.Subscribe(ctx, deletedTopic)
		s.forgetAll() // who may have been named meanwhile is not known
	}
	if err == nil {
		sub.Close()
	}
}

func (s *Service) forgetAsTold(ctx context.Context, sub bus.Subscription) {
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-sub.C():
			if !ok {
				return
			}
			s.Forget(string(m.Data))
		}
	}
}

// forgetAll makes every next Ensure read its user again.
func (s *Service) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.known.Purge()
}

// forgetEverywhere is Forget in every process.
func (s *Service) forgetEverywhere(ctx context.Context, userID string) {
	s.Forget(userID)
	if err := s.deletion.Bus.Publish(ctx, deletedTopic, []byte(userID)); err != nil {
		s.deletion.Log.WarnContext(ctx, "other processes were not told of an account deletion and notice it later", "user", userID, "error", err)
	}
}
