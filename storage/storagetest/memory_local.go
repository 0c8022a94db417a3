package storagetest

import (
	"context"
	"time"

	"suar/storage"
)

type memoryHold struct {
	holder string
	until  time.Time
}

// Hold implements storage.Store.
func (m *Memory) Hold(ctx context.Context, name, holder string, now, until time.Time) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if h, held := m.holds[name]; held && h.holder != holder && h.until.After(now) {
		return storage.ErrHeld
	}
	if until.After(now) {
		m.holds[name] = memoryHold{holder, until}
	} else {
		delete(m.holds, name)
	}
	return nil
}

// Pace implements storage.Store.
func (m *Memory) Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error) {
	if err := m.begin(ctx); err != nil {
		return time.Time{}, err
	}
	defer m.mu.Unlock()
	idle := m.paces[queue]
	if idle.Before(now) {
		idle = now
	}
	m.paces[queue] = idle.Add(cost)
	if turn := idle.Add(cost - burst); turn.After(now) {
		return turn, nil
	}
	return now, nil
}
