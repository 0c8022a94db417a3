package handoff

import (
	"sync"
	"time"
)

const (
	// spentLife is longer than a press can be good for: it may seem as early as
	// it may be old.
	spentLife = 2*pressAge + time.Minute
	// spentMost is how many presses are remembered for sure. Only officers'
	// genuine ones are.
	spentMost = 10_000
)

// spent remembers which presses were taken, in this process. The engine knows
// them too, those that it recorded.
type spent struct {
	mu sync.Mutex
	// young and old are the presses since the turn and those before.
	young, old map[string]bool
	turn       time.Time
}

// spend takes a press and reports whether it is the first time.
func (s *spent) spend(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.young[id] || s.old[id] {
		return false
	}
	if s.young == nil || len(s.young) >= spentMost || now.Sub(s.turn) > spentLife {
		s.old, s.young, s.turn = s.young, map[string]bool{}, now
	}
	s.young[id] = true
	return true
}

// known reports whether a press was taken.
func (s *spent) known(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.young[id] || s.old[id]
}
