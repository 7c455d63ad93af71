package bus

import (
	"strings"
	"sync"
)

// A hub hands messages to the subscriptions of this process.
type hub struct {
	mu     sync.Mutex
	closed bool
	// exact and prefix hold the subscriptions by topic, and by what is before
	// the "*".
	exact  map[string][]*subscription
	prefix map[string][]*subscription
}

func newHub() *hub {
	return &hub{exact: map[string][]*subscription{}, prefix: map[string][]*subscription{}}
}

// side gives the map that a pattern belongs to, and its key there.
func (h *hub) side(pattern string) (map[string][]*subscription, string) {
	if p, ok := strings.CutSuffix(pattern, "*"); ok {
		return h.prefix, p
	}
	return h.exact, pattern
}

// add starts a subscription; ended, if set, is called once after it has ended.
func (h *hub) add(pattern string, ended func()) (*subscription, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	s := &subscription{hub: h, pattern: pattern, ch: make(chan Message, Backlog), ended: ended}
	subs, key := h.side(pattern)
	subs[key] = append(subs[key], s)
	return s, nil
}

// publish delivers a message to every subscription that matches its topic.
func (h *hub) publish(m Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	deliver(h.exact[m.Topic], m)
	for p, subs := range h.prefix {
		if strings.HasPrefix(m.Topic, p) {
			deliver(subs, m)
		}
	}
	return nil
}

// publishTo delivers a message to the subscriptions of one pattern.
func (h *hub) publishTo(pattern string, m Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	subs, key := h.side(pattern)
	deliver(subs[key], m)
}

// deliver never blocks: a full channel loses its oldest message. The hub's lock
// is held, so there is one sender at a time.
func deliver(subs []*subscription, m Message) {
	for _, s := range subs {
		for sent := false; !sent; {
			select {
			case s.ch <- m:
				sent = true
			default:
				select {
				case <-s.ch:
				default:
				}
			}
		}
	}
}

func (h *hub) remove(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	subs, key := h.side(s.pattern)
	for i, other := range subs[key] {
		if other == s {
			subs[key] = append(subs[key][:i:i], subs[key][i+1:]...)
			close(s.ch)
			break
		}
	}
	if len(subs[key]) == 0 {
		delete(subs, key)
	}
}

// close ends every subscription.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, side := range []map[string][]*subscription{h.exact, h.prefix} {
		for key, subs := range side {
			for _, s := range subs {
				close(s.ch)
			}
			delete(side, key)
		}
	}
}

type subscription struct {
	hub     *hub
	pattern string
	ch      chan Message
	ended   func()
	once    sync.Once
}

func (s *subscription) C() <-chan Message { return s.ch }

func (s *subscription) Close() {
	s.once.Do(func() {
		s.hub.remove(s)
		if s.ended != nil {
			s.ended()
		}
	})
}
