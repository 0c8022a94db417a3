package crowd

import (
	"bytes"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// A window is what is counted since Measure was called.
type window struct {
	open          bool
	began         time.Time
	conversations int
	steps         []time.Duration
	before        map[string]int
}

func (w *window) took(d time.Duration) {
	if w.open {
		w.steps = append(w.steps, d)
	}
}

// Figures are what happened in a window of time.
type Figures struct {
	Took time.Duration
	// Steps is how many updates were answered, Conversations how many went
	// from their first step to their last.
	Steps, Conversations int
	// P50, P99 and Longest are from when an update could be had until its
	// answer had arrived.
	P50, P99, Longest time.Duration
	// Calls are the bot's, by method, without getUpdates.
	Calls map[string]int
}

// Measure begins a window and returns what ends it.
func (t *Telegram) Measure() (end func() Figures) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.window = window{open: true, began: time.Now(), before: maps.Clone(t.calls), steps: make([]time.Duration, 0, 1<<16)}
	return func() Figures {
		t.mu.Lock()
		w := t.window
		t.window = window{}
		calls := maps.Clone(t.calls)
		t.mu.Unlock()
		f := Figures{Took: time.Since(w.began), Steps: len(w.steps), Conversations: w.conversations, Calls: calls}
		for method, n := range w.before {
			calls[method] -= n
		}
		slices.Sort(w.steps)
		if n := len(w.steps); n > 0 {
			f.P50, f.P99, f.Longest = w.steps[(n-1)*50/100], w.steps[(n-1)*99/100], w.steps[n-1]
		}
		return f
	}
}

// A Sample is something that passed over the wire.
type Sample struct {
	// Definition is its name in telegramtest's schema.
	Definition string
	JSON       []byte
}

// mostSamples is how many of each kind are kept.
const mostSamples = 40

// samples are the first of each kind.
type samples struct {
	kept   []Sample
	counts map[string]int
	full   atomic.Pointer[map[string]bool]
}

// wants reports whether more of a kind are kept. It needs no lock.
func (s *samples) wants(definition string) bool {
	full := s.full.Load()
	return full == nil || !(*full)[definition]
}

// keep keeps a sample. The lock is held.
func (s *samples) keep(definition string, raw []byte) {
	if !s.wants(definition) {
		return
	}
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.kept = append(s.kept, Sample{definition, bytes.Clone(raw)})
	if s.counts[definition]++; s.counts[definition] < mostSamples {
		return
	}
	full := map[string]bool{definition: true}
	if old := s.full.Load(); old != nil {
		maps.Copy(full, *old)
	}
	s.full.Store(&full)
}

// Samples returns the first of all requests, answers and updates.
func (t *Telegram) Samples() []Sample {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.samples.kept)
}

// object is a request's parameters as one JSON object.
func (r *request) object() []byte {
	b := []byte{'{'}
	// What cannot be read was refused before.
	_ = r.parameters(func(name, v []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"', ':')
		b = append(b, v...)
	})
	return append(b, '}')
}
