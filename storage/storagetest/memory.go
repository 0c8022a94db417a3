package storagetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"suar/storage"
)

// Memory is the model of a Store: every method does what the contract says, as
// plainly as it can, over maps and under one lock. It survives nothing.
type Memory struct {
	mu          sync.Mutex
	records     map[string]memoryRecord
	names       map[string]string // further name → conversation
	events      map[memoryEvent]time.Time
	items       []*memoryItem // the whole outbox, oldest first
	transcripts map[string]storage.Transcript
	token       uint64
	holds       map[string]memoryHold
	queues      map[string]time.Time // when each would be idle
}

type memoryHold struct {
	holder string
	until  time.Time
}

type memoryRecord struct {
	version uint64
	state   []byte
	alarm   time.Time
}

type memoryEvent struct{ conversation, event string }

type memoryItem struct {
	conversation string
	storage.Item
	tries int
	token uint64
	ready time.Time // meaningful once leased: when it can be leased again
}

var _ storage.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		records:     make(map[string]memoryRecord),
		names:       make(map[string]string),
		events:      make(map[memoryEvent]time.Time),
		transcripts: make(map[string]storage.Transcript),
		holds:       make(map[string]memoryHold),
		queues:      make(map[string]time.Time),
	}
}

// begin takes the lock; the caller gives it back. It fails if ctx has ended.
func (m *Memory) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	return nil
}

// Load implements storage.Store.
func (m *Memory) Load(ctx context.Context, id string) (storage.Record, error) {
	if err := m.begin(ctx); err != nil {
		return storage.Record{}, err
	}
	defer m.mu.Unlock()
	r, ok := m.records[id]
	if !ok {
		return storage.Record{}, storage.ErrNotFound
	}
	return storage.Record{Version: r.version, State: slices.Clone(r.state), Alarm: r.alarm}, nil
}

// Resolve implements storage.Store.
func (m *Memory) Resolve(ctx context.Context, name string) (string, error) {
	if err := m.begin(ctx); err != nil {
		return "", err
	}
	defer m.mu.Unlock()
	id, ok := m.names[name]
	if !ok {
		return "", storage.ErrNotFound
	}
	return id, nil
}

// Commit implements storage.Store.
func (m *Memory) Commit(ctx context.Context, c storage.Commit) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	return m.commit(c)
}

// CommitAndLease implements storage.Store.
func (m *Memory) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if err := m.commit(c); err != nil {
		return nil, err
	}
	var leased []storage.Leased
	for _, lane := range lanes {
		for _, head := range m.heads(lane) {
			if head.conversation == c.ID && !(head.tries > 0 && head.ready.After(c.At)) {
				leased = append(leased, m.lease(head, until))
			}
		}
	}
	return leased, nil
}

func (m *Memory) commit(c storage.Commit) error {
	for _, event := range c.Events {
		if _, seen := m.events[memoryEvent{c.ID, event}]; seen {
			return storage.ErrDuplicate
		}
	}
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Ack != nil && m.held(*c.Ack) == nil {
		return storage.ErrLeaseLost
	}
	if m.records[c.ID].version != c.Version {
		return storage.ErrConflict
	}
	if c.State != nil {
		for _, name := range c.Names {
			if owner, taken := m.names[name]; taken && owner != c.ID {
				return storage.ErrNameTaken
			}
		}
	}

	for _, event := range c.Events {
		m.events[memoryEvent{c.ID, event}] = instant(c.At)
	}
	maps.DeleteFunc(m.names, func(_, id string) bool { return id == c.ID })
	if c.State == nil {
		delete(m.records, c.ID)
	} else {
		m.records[c.ID] = memoryRecord{c.Version + 1, slices.Clone(c.State), instant(c.Alarm)}
		for _, name := range c.Names {
			m.names[name] = c.ID
		}
	}
	if c.Ack != nil {
		done := m.held(*c.Ack)
		m.items = slices.DeleteFunc(m.items, func(i *memoryItem) bool { return i == done })
	}
	for _, item := range c.Items {
		item.Body = slices.Clone(item.Body)
		m.items = append(m.items, &memoryItem{conversation: c.ID, Item: item})
	}
	if c.Header != nil || len(c.Entries) > 0 {
		t := m.transcripts[c.Transcript]
		if c.Header != nil {
			t.Header = slices.Clone(c.Header)
		}
		for _, entry := range c.Entries {
			t.Entries = append(t.Entries, slices.Clone(entry))
		}
		m.transcripts[c.Transcript] = t
	}
	return nil
}

// heads returns the first item of every conversation in the lane, oldest first.
func (m *Memory) heads(lane storage.Lane) []*memoryItem {
	var heads []*memoryItem
	seen := make(map[string]bool)
	for _, item := range m.items {
		if item.Lane == lane && !seen[item.conversation] {
			seen[item.conversation] = true
			heads = append(heads, item)
		}
	}
	return heads
}

// held returns the item that the lease is for, nil if the lease is lost.
func (m *Memory) held(l storage.Lease) *memoryItem {
	for _, head := range m.heads(l.Lane) {
		if head.conversation == l.Conversation && head.ID == l.Item &&
			head.tries > 0 && head.token == l.Token {
			return head
		}
	}
	return nil
}

// Lease implements storage.Store.
func (m *Memory) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	heads := slices.DeleteFunc(m.heads(lane), func(i *memoryItem) bool {
		return i.tries > 0 && i.ready.After(now)
	})
	slices.SortStableFunc(heads, func(a, b *memoryItem) int {
		return int(b.Priority) - int(a.Priority)
	})
	var leased []storage.Leased
	for _, head := range heads[:min(max(n, 0), len(heads))] {
		leased = append(leased, m.lease(head, until))
	}
	return leased, nil
}

func (m *Memory) lease(head *memoryItem, until time.Time) storage.Leased {
	m.token++
	head.token = m.token
	head.tries++
	head.ready = instant(until)
	return storage.Leased{
		Lease: storage.Lease{Conversation: head.conversation, Item: head.ID, Lane: head.Lane, Token: head.token},
		Body:  slices.Clone(head.Body),
		Tries: head.tries,
	}
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
	m.holds[name] = memoryHold{holder, until}
	return nil
}

// Pace implements storage.Store.
func (m *Memory) Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error) {
	if err := m.begin(ctx); err != nil {
		return time.Time{}, err
	}
	defer m.mu.Unlock()
	idle := m.queues[queue]
	if idle.Before(now) {
		idle = now
	}
	m.queues[queue] = idle.Add(cost)
	if turn := idle.Add(cost - burst); turn.After(now) {
		return turn, nil
	}
	return now, nil
}

// Defer implements storage.Store.
func (m *Memory) Defer(ctx context.Context, l storage.Lease, until time.Time) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	head := m.held(l)
	if head == nil {
		return storage.ErrLeaseLost
	}
	head.ready = instant(until)
	return nil
}

// Waiting implements storage.Store.
func (m *Memory) Waiting(ctx context.Context, lane storage.Lane) (int, time.Time, error) {
	if err := m.begin(ctx); err != nil {
		return 0, time.Time{}, err
	}
	defer m.mu.Unlock()
	var count int
	for _, item := range m.items {
		if item.Lane == lane {
			count++
		}
	}
	var next time.Time
	for _, head := range m.heads(lane) {
		if head.tries > 0 && (next.IsZero() || head.ready.Before(next)) {
			next = head.ready
		}
	}
	return count, next, nil
}

// Due implements storage.Store.
func (m *Memory) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var due []string
	for id, r := range m.records {
		if !r.alarm.IsZero() && !r.alarm.After(now) {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b string) int {
		if c := m.records[a].alarm.Compare(m.records[b].alarm); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return due[:min(max(n, 0), len(due))], nil
}

// Transcript implements storage.Store.
func (m *Memory) Transcript(ctx context.Context, name string) (storage.Transcript, error) {
	if err := m.begin(ctx); err != nil {
		return storage.Transcript{}, err
	}
	defer m.mu.Unlock()
	t, ok := m.transcripts[name]
	if !ok {
		return storage.Transcript{}, storage.ErrNotFound
	}
	found := storage.Transcript{Header: slices.Clone(t.Header)}
	for _, entry := range t.Entries {
		found.Entries = append(found.Entries, slices.Clone(entry))
	}
	return found, nil
}

// Transcripts implements storage.Store.
func (m *Memory) Transcripts(ctx context.Context, prefix string, n int) ([]string, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(m.transcripts)), func(name string) bool {
		return !strings.HasPrefix(name, prefix)
	})
	return names[:min(max(n, 0), len(names))], nil
}

// Forget implements storage.Store.
func (m *Memory) Forget(ctx context.Context, transcript string) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.transcripts, transcript)
	return nil
}

// Sweep implements storage.Store.
func (m *Memory) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	if err := m.begin(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	old := slices.SortedFunc(maps.Keys(m.events), func(a, b memoryEvent) int {
		return m.events[a].Compare(m.events[b])
	})
	var dropped int
	for _, event := range old {
		if dropped >= n || !m.events[event].Before(before) {
			break
		}
		delete(m.events, event)
		dropped++
	}
	return dropped, nil
}

// Close implements storage.Store. A Memory needs no closing.
func (m *Memory) Close() error { return nil }

// instant is the time without its zone and without the monotonic clock: all
// that a store keeps of it.
func instant(t time.Time) time.Time { return t.Round(0).UTC() }
