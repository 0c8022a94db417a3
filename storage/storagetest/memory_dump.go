package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"suar/storage"
)

// Dump implements storage.Store. All pieces are of one instant, and every
// transcript is a piece of its own.
func (m *Memory) Dump(ctx context.Context, yield func(storage.Piece) error) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	pieces := m.pieces()
	m.mu.Unlock()
	for _, p := range pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) pieces() []storage.Piece {
	found := make(map[string]*storage.Piece)
	of := func(id string) *storage.Piece {
		if found[id] == nil {
			found[id] = &storage.Piece{ID: id}
		}
		return found[id]
	}
	for id, r := range m.records {
		p := of(id)
		p.Version, p.State, p.Names, p.Alarm = r.version, slices.Clone(r.state), slices.Clone(r.names), r.alarm
	}
	for event, handled := range m.events {
		p := of(event.conversation)
		p.Events = append(p.Events, storage.Handled{Event: event.event, At: handled})
	}
	for lane, queue := range m.outbox.queues {
		p := of(lane.conversation)
		for _, item := range queue {
			q := storage.Queued{Item: item.Item, Age: item.age, Tries: item.tries, Token: item.token}
			q.Body = slices.Clone(q.Body)
			if item.deferred {
				q.Until = item.ready
			}
			p.Items = append(p.Items, q)
		}
	}
	var pieces []storage.Piece
	for _, id := range slices.Sorted(maps.Keys(found)) {
		pieces = append(pieces, *found[id])
	}
	for _, name := range slices.Sorted(maps.Keys(m.transcripts)) {
		pieces = append(pieces, storage.Piece{Transcripts: map[string]storage.Transcript{name: cloneTranscript(m.transcripts[name])}})
	}
	return pieces
}

// Fill implements storage.Store.
func (m *Memory) Fill(ctx context.Context, next func() (storage.Piece, error)) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	empty := len(m.records)+len(m.events)+len(m.outbox.queues)+len(m.transcripts) == 0
	m.mu.Unlock()
	if !empty {
		return storage.ErrNotEmpty
	}
	given := make(map[string]bool)
	for {
		p, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = p.Validate()
		}
		if err != nil {
			return fmt.Errorf("fill: %w", err)
		}
		if err := m.begin(ctx); err != nil {
			return err
		}
		if given[p.ID] {
			m.expel(p.ID)
		}
		given[p.ID] = true
		m.fill(p)
		m.mu.Unlock()
	}
}

func (m *Memory) fill(p storage.Piece) {
	for name, t := range p.Transcripts {
		m.transcripts[name] = cloneTranscript(t)
	}
	if p.ID == "" {
		return
	}
	if p.Version != 0 {
		for _, name := range p.Names {
			if owner, taken := m.names[name]; taken {
				r := m.records[owner]
				r.names = slices.DeleteFunc(r.names, func(n string) bool { return n == name })
				m.records[owner] = r
			}
		}
		m.keep(p.ID, memoryRecord{p.Version, slices.Clone(p.State), slices.Clone(p.Names), instant(p.Alarm)})
	}
	for _, h := range p.Events {
		m.events[memoryEvent{p.ID, h.Event}] = instant(h.At)
	}
	for _, q := range p.Items {
		q.Body = slices.Clone(q.Body)
		m.outbox.fill(&memoryItem{
			conversation: p.ID, Item: q.Item, age: q.Age, tries: q.Tries, token: q.Token,
			ready: instant(q.Until), waits: !q.Until.IsZero(), deferred: !q.Until.IsZero(),
		})
	}
}

// expel takes out what an earlier piece brought of the conversation.
func (m *Memory) expel(id string) {
	m.replace(storage.Commit{ID: id})
	maps.DeleteFunc(m.events, func(e memoryEvent, _ time.Time) bool { return e.conversation == id })
	for _, lane := range storage.Lanes() {
		for head := m.outbox.head(id, lane); head != nil; head = m.outbox.head(id, lane) {
			m.outbox.remove(head)
		}
	}
}

func cloneTranscript(t storage.Transcript) storage.Transcript {
	clone := storage.Transcript{Header: slices.Clone(t.Header)}
	for _, entry := range t.Entries {
		clone.Entries = append(clone.Entries, slices.Clone(entry))
	}
	return clone
}
