package bot

import "sync"

// maxMade bounds the deliveries that are remembered; at least half of it are.
const maxMade = 4096

// made remembers which messages a delivery made, so that a repeated one does
// not make them again. It is a kindness to the person, not a promise: another
// process, or this one after a restart, knows nothing of it. It holds ids only.
type made struct {
	mu          sync.Mutex
	recent, old map[string][]int
}

// keep remembers the messages of a delivery.
func (m *made) keep(delivery string, ids []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.recent == nil || len(m.recent) >= maxMade/2 {
		m.recent, m.old = map[string][]int{}, m.recent
	}
	m.recent[delivery] = ids
}

// of returns the messages of a delivery, nil if none are known.
func (m *made) of(delivery string) []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ids, ok := m.recent[delivery]; ok {
		return ids
	}
	return m.old[delivery]
}
