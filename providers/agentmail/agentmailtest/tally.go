package agentmailtest

// Tally counts what is there now.
type Tally struct {
	// Pods does not count the organisation's default pod.
	Pods int `json:"pods"`
	// Keys does not count the organisation's key.
	Keys    int `json:"keys"`
	Inboxes int `json:"inboxes"`
	// Sent is how many mails left, over all time.
	Sent int `json:"sent"`
}

// Tally counts the live pods, keys and inboxes, and the mails sent.
func (s *Server) Tally() Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Tally{Pods: len(s.pods) - 1, Keys: len(s.keys) - 1, Inboxes: len(s.inboxes), Sent: s.sent}
}

// Works reports whether a key is live.
func (s *Server) Works(secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if k.secret == secret {
			return true
		}
	}
	return false
}

// PodOf gives the id of the pod with a client id, or "".
func (s *Server) PodOf(clientID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pods {
		if p.clientID == clientID {
			return p.id
		}
	}
	return ""
}

// KeysOf counts the live keys of the pod with a client id.
func (s *Server) KeysOf(clientID string) int {
	pod := s.PodOf(clientID)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, k := range s.keys {
		if k.pod != "" && k.pod == pod {
			n++
		}
	}
	return n
}
