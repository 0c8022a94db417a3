package storagetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"suar/storage"
)

// Memory is the model of a Store: every method does what the contract says, as
// plainly as it can, over maps and slices and under one lock. It survives
// nothing.
type Memory struct {
	mu          sync.Mutex
	records     map[string]memoryRecord
	names       map[string]string // further name → conversation
	alarms      []memoryAlarm     // sorted
	events      map[memoryEvent]time.Time
	outbox      memoryOutbox
	transcripts map[string]storage.Transcript
	holds       map[string]memoryHold
	paces       map[string]time.Time // when each queue would be idle
}

type memoryRecord struct {
	version uint64
	state   []byte
	names   []string
	alarm   time.Time
}

type memoryAlarm struct {
	at time.Time
	id string
}

func (a memoryAlarm) compare(b memoryAlarm) int {
	return cmp.Or(a.at.Compare(b.at), strings.Compare(a.id, b.id))
}

type memoryEvent struct{ conversation, event string }

var _ storage.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		records:     make(map[string]memoryRecord),
		names:       make(map[string]string),
		events:      make(map[memoryEvent]time.Time),
		outbox:      newMemoryOutbox(),
		transcripts: make(map[string]storage.Transcript),
		holds:       make(map[string]memoryHold),
		paces:       make(map[string]time.Time),
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
		if head := m.outbox.head(c.ID, lane); head != nil && head.leasable(c.At) {
			leased = append(leased, m.outbox.lease(head, until))
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
	if c.Ack != nil && m.outbox.held(*c.Ack) == nil {
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
	m.replace(c)
	if c.Ack != nil {
		m.outbox.remove(m.outbox.held(*c.Ack))
	}
	for _, item := range c.Items {
		item.Body = slices.Clone(item.Body)
		m.outbox.add(&memoryItem{conversation: c.ID, Item: item})
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

// replace puts the commit's record, names and alarm in the place of the old ones.
func (m *Memory) replace(c storage.Commit) {
	old := m.records[c.ID]
	for _, name := range old.names {
		delete(m.names, name)
	}
	if !old.alarm.IsZero() {
		i, _ := slices.BinarySearchFunc(m.alarms, memoryAlarm{old.alarm, c.ID}, memoryAlarm.compare)
		m.alarms = slices.Delete(m.alarms, i, i+1)
	}
	if c.State == nil {
		delete(m.records, c.ID)
		return
	}
	m.keep(c.ID, memoryRecord{c.Version + 1, slices.Clone(c.State), slices.Clone(c.Names), instant(c.Alarm)})
}

// keep keeps the record of a conversation that has none.
func (m *Memory) keep(id string, r memoryRecord) {
	m.records[id] = r
	for _, name := range r.names {
		m.names[name] = id
	}
	if alarm := (memoryAlarm{r.alarm, id}); !r.alarm.IsZero() {
		i, _ := slices.BinarySearchFunc(m.alarms, alarm, memoryAlarm.compare)
		m.alarms = slices.Insert(m.alarms, i, alarm)
	}
}

// Due implements storage.Store.
func (m *Memory) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var due []string
	for _, alarm := range m.alarms {
		if len(due) >= n || alarm.at.After(now) {
			break
		}
		due = append(due, alarm.id)
	}
	return due, nil
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
	return cloneTranscript(t), nil
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
