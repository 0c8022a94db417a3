package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"suar/storage"
)

// model makes the same random calls to the store and to a Memory and compares
// what they answer and, after each call, all that they tell.
func model(t *testing.T, open Opener) {
	rapid.Check(t, func(r *rapid.T) {
		store, reopen := open(t)
		m := &machine{t: t, store: store, reopen: reopen, model: NewMemory()}
		defer func() { _ = m.store.Close() }()
		actions := map[string]func(*rapid.T){
			"":       m.same,
			"commit": m.commit,
			"lease":  m.lease,
			"defer":  m.postpone,
			"due":    m.due,
			"list":   m.list,
			"forget": m.forget,
			"sweep":  m.sweep,
			"hold":   m.hold,
			"pace":   m.pace,
			"dump":   m.dump,
		}
		if reopen != nil {
			actions["reopen"] = func(*rapid.T) {
				m.store = m.reopen()
				// Holds and queues may be forgotten: others are used from now on.
				m.epoch++
			}
		}
		r.Repeat(actions)
	})
}

type machine struct {
	t      *testing.T
	store  storage.Store
	reopen func() storage.Store
	model  *Memory
	// leases are the same items as the store and the model lease them: the
	// tokens may differ.
	leases []leasePair
	items  int
	epoch  int
}

type leasePair struct{ store, model storage.Lease }

// Few names, so that calls meet each other.
var (
	someIDs         = []string{"a", "a\x00", "b", "bb"}
	someNames       = []string{"n1", "n2", "n3"}
	someTranscripts = []string{"t", "t1", "u"}
	anID            = rapid.SampledFrom(someIDs)
	aName           = rapid.SampledFrom(someNames)
	aTranscript     = rapid.SampledFrom(someTranscripts)
	someEvents      = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"e1", "e2", "e3", "e4", "e5"}), 0, 2, rapid.ID)
	aLane           = rapid.SampledFrom(storage.Lanes())
	// Nanoseconds, so that a store that rounds is found.
	anInstant = rapid.Map(rapid.IntRange(0, 12), func(n int) time.Time { return noon.Add(time.Duration(n)) })
	// Holds and queues need not be kept that precisely.
	aMillisecond = rapid.Map(rapid.IntRange(0, 20), ms)
	aDuration    = rapid.Map(rapid.IntRange(1, 4), func(n int) time.Duration { return time.Duration(n) * time.Millisecond })
	someLanes    = rapid.SampledFrom([][]storage.Lane{nil, {caller}, {officers}, {caller, officers}, {officers, caller}, {keeper}, {officers, keeper}})
	someBytes    = rapid.SliceOfN(rapid.Byte(), 0, 4)
)

// version is the version of a conversation's record, 0 if there is none.
func (m *machine) version(id string) uint64 {
	record, err := m.model.Load(m.t.Context(), id)
	if err != nil {
		return 0
	}
	return record.Version
}

// draw draws a commit that acknowledges nothing.
func (m *machine) draw(r *rapid.T) storage.Commit {
	c := storage.Commit{
		ID:     anID.Draw(r, "id"),
		Events: someEvents.Draw(r, "events"),
		At:     anInstant.Draw(r, "at"),
		Names:  rapid.SliceOfN(aName, 0, 2).Draw(r, "names"),
	}
	c.Version = m.version(c.ID)
	if rapid.IntRange(0, 9).Draw(r, "stale") == 0 {
		c.Version = rapid.Uint64Range(0, 5).Draw(r, "version")
	}
	if rapid.IntRange(0, 5).Draw(r, "erase") > 0 {
		c.State = someBytes.Draw(r, "state")
	}
	if rapid.Bool().Draw(r, "set alarm") {
		c.Alarm = anInstant.Draw(r, "alarm")
	}
	for range rapid.IntRange(0, 2).Draw(r, "items") {
		m.items++
		c.Items = append(c.Items, storage.Item{
			ID: fmt.Sprint("item ", m.items), Lane: aLane.Draw(r, "lane"),
			Priority: rapid.Uint8Range(0, 2).Draw(r, "priority"), Body: someBytes.Draw(r, "body"),
		})
	}
	if rapid.IntRange(0, 3).Draw(r, "transcribe") == 0 {
		c.Transcript = aTranscript.Draw(r, "transcript")
		if rapid.Bool().Draw(r, "set header") {
			c.Header = someBytes.Draw(r, "header")
		}
		c.Entries = rapid.SliceOfN(someBytes, 0, 2).Draw(r, "entries")
	}
	return c
}

func (m *machine) commit(r *rapid.T) {
	c := m.draw(r)
	toModel := c
	if len(m.leases) > 0 && rapid.IntRange(0, 2).Draw(r, "acknowledge") == 0 {
		pair := rapid.SampledFrom(m.leases).Draw(r, "lease")
		// Mostly the newest are worth something.
		if rapid.Bool().Draw(r, "newest") {
			pair = m.leases[len(m.leases)-1]
		}
		c.Ack, toModel.Ack = &pair.store, &pair.model
		if c.ID != pair.model.Conversation && rapid.IntRange(0, 9).Draw(r, "own") > 0 {
			c.ID, c.Version = pair.model.Conversation, m.version(pair.model.Conversation)
			toModel.ID, toModel.Version = c.ID, c.Version
		}
	}
	if rapid.Bool().Draw(r, "only commit") {
		m.sameError(r, m.store.Commit(m.t.Context(), c), m.model.Commit(m.t.Context(), toModel))
		return
	}
	lanes, until := someLanes.Draw(r, "lanes"), anInstant.Draw(r, "until")
	got, err := m.store.CommitAndLease(m.t.Context(), c, until, lanes...)
	want, wantErr := m.model.CommitAndLease(m.t.Context(), toModel, until, lanes...)
	m.sameError(r, err, wantErr)
	m.sameLeases(r, got, want)
}

func (m *machine) sameLeases(r *rapid.T, got, want []storage.Leased) {
	for i := range min(len(got), len(want)) {
		m.leases = append(m.leases, leasePair{got[i].Lease, want[i].Lease})
	}
	same(r, "leased", got, want, cmpopts.IgnoreFields(storage.Lease{}, "Token"))
}

func (m *machine) drawHold(r *rapid.T) (name, holder string, now, until time.Time) {
	return fmt.Sprint(rapid.SampledFrom([]string{"h", "i"}).Draw(r, "name"), m.epoch),
		rapid.SampledFrom([]string{"x", "y"}).Draw(r, "holder"),
		aMillisecond.Draw(r, "now"), aMillisecond.Draw(r, "until")
}

func (m *machine) hold(r *rapid.T) {
	name, holder, now, until := m.drawHold(r)
	m.sameError(r, m.store.Hold(m.t.Context(), name, holder, now, until), m.model.Hold(m.t.Context(), name, holder, now, until))
}

func (m *machine) drawPace(r *rapid.T) (queue string, now time.Time, cost, burst time.Duration) {
	queue = fmt.Sprint(rapid.SampledFrom([]string{"p", "q"}).Draw(r, "queue"), m.epoch)
	now, cost = aMillisecond.Draw(r, "now"), aDuration.Draw(r, "cost")
	return queue, now, cost, time.Duration(rapid.IntRange(1, 3).Draw(r, "burst")) * cost
}

func (m *machine) pace(r *rapid.T) {
	queue, now, cost, burst := m.drawPace(r)
	got, err := m.store.Pace(m.t.Context(), queue, now, cost, burst)
	want, wantErr := m.model.Pace(m.t.Context(), queue, now, cost, burst)
	m.sameError(r, err, wantErr)
	same(r, "turn", got.UTC(), want.UTC())
}

func (m *machine) lease(r *rapid.T) {
	lane, n := aLane.Draw(r, "lane"), rapid.IntRange(0, 3).Draw(r, "n")
	now, until := anInstant.Draw(r, "now"), anInstant.Draw(r, "until")
	got, err := m.store.Lease(m.t.Context(), lane, n, now, until)
	want, wantErr := m.model.Lease(m.t.Context(), lane, n, now, until)
	m.sameError(r, err, wantErr)
	m.sameLeases(r, got, want)
}

func (m *machine) postpone(r *rapid.T) {
	if len(m.leases) == 0 {
		r.Skip("nothing was leased")
	}
	pair, until := rapid.SampledFrom(m.leases).Draw(r, "lease"), anInstant.Draw(r, "until")
	m.sameError(r, m.store.Defer(m.t.Context(), pair.store, until), m.model.Defer(m.t.Context(), pair.model, until))
}

// due compares instants and not conversations: whose comes first among those
// that are due at the same one is open.
func (m *machine) due(r *rapid.T) {
	now, n := anInstant.Draw(r, "now"), rapid.IntRange(0, 4).Draw(r, "n")
	alarms := func(s storage.Store) []time.Time {
		ids, err := s.Due(m.t.Context(), now, n)
		if err != nil {
			r.Fatalf("due: %v", err)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
			r.Fatalf("due: %q has somebody twice", ids)
		}
		var alarms []time.Time
		for _, id := range ids {
			record, err := s.Load(m.t.Context(), id)
			if err != nil {
				r.Fatalf("load: %v", err)
			}
			alarms = append(alarms, record.Alarm)
		}
		return alarms
	}
	same(r, "due", alarms(m.store), alarms(m.model))
}

func (m *machine) list(r *rapid.T) {
	prefix, n := rapid.SampledFrom([]string{"", "t", "t1", "v"}).Draw(r, "prefix"), rapid.IntRange(0, 3).Draw(r, "n")
	got, err := m.store.Transcripts(m.t.Context(), prefix, n)
	want, wantErr := m.model.Transcripts(m.t.Context(), prefix, n)
	m.sameError(r, err, wantErr)
	same(r, "transcripts", got, want)
}

func (m *machine) forget(r *rapid.T) {
	name := aTranscript.Draw(r, "transcript")
	m.sameError(r, m.store.Forget(m.t.Context(), name), m.model.Forget(m.t.Context(), name))
}

// sweep takes all there is: which events go first is open.
func (m *machine) sweep(r *rapid.T) {
	before := anInstant.Draw(r, "before")
	got, err := m.store.Sweep(m.t.Context(), before, 1000)
	want, wantErr := m.model.Sweep(m.t.Context(), before, 1000)
	m.sameError(r, err, wantErr)
	same(r, "swept", got, want)
}

// dump compares also what nothing else tells, such as whose an event is.
func (m *machine) dump(r *rapid.T) {
	got, err := dumped(m.t.Context(), m.store)
	if err != nil {
		r.Fatalf("dump: %v", err)
	}
	want, err := dumped(m.t.Context(), m.model)
	if err != nil {
		r.Fatalf("dump: %v", err)
	}
	same(r, "the dump", contentOf(got), contentOf(want))
}

func (m *machine) same(r *rapid.T) {
	got, err := everything(m.t.Context(), m.store, someIDs, someNames)
	if err != nil {
		r.Fatal(err)
	}
	want, err := everything(m.t.Context(), m.model, someIDs, someNames)
	if err != nil {
		r.Fatal(err)
	}
	same(r, "the store", got, want)
}

func (m *machine) sameError(r *rapid.T, got, want error) {
	if !errors.Is(sentinel(got), sentinel(want)) || (got == nil) != (want == nil) {
		r.Fatalf("got the error %v, want %v", got, want)
	}
}

func same(r *rapid.T, what string, got, want any, options ...cmp.Option) {
	if d := cmp.Diff(want, got, append(options, cmpopts.EquateEmpty())...); d != "" {
		r.Fatalf("%s (-model +store):\n%s", what, d)
	}
}
