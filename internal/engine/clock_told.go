package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"suar/storage"
)

// A timed store has a clock, the same for all processes that use it.
type timed interface {
	Time(ctx context.Context) (time.Time, error)
}

// A serverClock is a store's clock between two looks at it.
type serverClock struct {
	store timed

	mu       sync.Mutex
	at, mark time.Time
}

// measure looks at the store's clock.
func (s *serverClock) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	began := time.Now()
	at, err := s.store.Time(ctx)
	if err != nil {
		return err
	}
	mark := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	// It was read half-way between.
	s.at, s.mark = at.Add(mark.Sub(began)/2), mark
	return nil
}

func (s *serverClock) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at.Add(time.Since(s.mark))
}

// clockRecord is the conversation that tells what the time was. It is not in
// the form of a person's.
const clockRecord = "clock"

// tell writes the time to the store.
func (e *Engine) tell(ctx context.Context) error {
	_, version, err := e.lastTold(ctx)
	if err != nil {
		return err
	}
	now := e.now()
	err = e.store.Commit(ctx, storage.Commit{
		ID:      clockRecord,
		Version: version,
		At:      now,
		State:   e.vault.Seal("clock", clockRecord, binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))),
	})
	if errors.Is(err, storage.ErrConflict) {
		return nil // Another engine told it in between.
	}
	return err
}

// lastTold reads the time that was last told, zero if none was, and the
// record's version. One that does not open is written anew.
func (e *Engine) lastTold(ctx context.Context) (at time.Time, version uint64, err error) {
	rec, err := e.store.Load(ctx, clockRecord)
	if errors.Is(err, storage.ErrNotFound) {
		return at, 0, nil
	}
	if err != nil {
		return at, 0, err
	}
	if plain, err := e.vault.Open("clock", clockRecord, rec.State); err == nil && len(plain) == 8 {
		at = time.Unix(0, int64(binary.BigEndian.Uint64(plain)))
	} else {
		e.log.ErrorContext(ctx, "the record of the time does not open")
	}
	return at, rec.Version, nil
}
