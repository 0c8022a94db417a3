// Package storagetest is the contract of [storage.Store] as a suite, with the
// model that the suite compares a store with, and a store that fails on demand
// for the tests of those who use one.
package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"suar/storage"
)

// An Opener opens a new, empty store, and releases it when the test ends.
// reopen closes the store and opens it anew with what it kept; nil for a store
// that keeps nothing beyond Close.
type Opener func(t *testing.T) (store storage.Store, reopen func() storage.Store)

// Run is the specification of a store. With a reopen, every sequential part of
// it runs a second time with the store closed and opened before every call.
func Run(t *testing.T, open Opener) {
	for _, part := range []struct {
		name string
		spec func(*fixture)
	}{
		{"A conversation without a record is not found", newConversation},
		{"A commit replaces the record and counts its version", versions},
		{"A commit is kept whole", wholeCommit},
		{"A refused commit keeps nothing", refusedCommit},
		{"Duplicate comes before lease lost before conflict", errorOrder},
		{"A nil state erases the record and leaves outbox and transcript", erase},
		{"An empty state is a state", emptyState},
		{"An item of an erased conversation is delivered and acknowledged", ackErased},
		{"Names have limits and any bytes", limits},
		{"Names are opaque", opaqueNames},
		{"Slices are neither kept nor given away", aliasing},
		{"Instants are kept to the nanosecond and in UTC", instants},
		{"Large values are kept", largeValues},

		{"Names are replaced as a whole set", namesReplaced},
		{"A name has one holder", namesHeld},

		{"An event is committed once", eventsOnce},
		{"Events are told apart by conversation", eventsByConversation},
		{"Sweep forgets events handled before the instant", sweep},
		{"Events that come together are committed together or not at all", eventsTogether},
		{"Events have limits and are distinct", eventLimits},
		{"Sweep forgets each event of a commit", sweepTogether},

		{"A lane is leased in the order of its commits, one at a time", laneOrder},
		{"The lanes do not wait for each other", lanesApart},
		{"Heads are leased by priority, then the oldest first", priority},
		{"Lease takes at most n", leaseLimit},
		{"A lease holds until its instant", leaseHolds},
		{"A newer lease fences off the older", fencing},
		{"A lease that ran out counts until somebody takes over", expiredLease},
		{"A delivered item is gone", delivered},
		{"A lease that never was is lost", forgedLease},
		{"A deferred item keeps those behind it waiting", deferred},
		{"Deferring can be repeated", deferTwice},
		{"Waiting counts a lane and tells the next instant", waiting},
		{"A clock that runs behind leases nothing early", clockBehind},

		{"A commit leases its conversation's heads", leasesItsHeads},
		{"A commit leases an old head if it can be leased", leasesOldHeads},
		{"A commit leases what follows the item it acknowledges", leasesNextAfterAck},
		{"A commit leases nothing it is not asked for", leasesNothingUnasked},
		{"A refused commit leases nothing", refusedLeasesNothing},
		{"A lease whose answer was lost runs out", lostAnswer},

		{"Due reports alarms, the earliest first", due},
		{"An alarm stays due until a commit moves it", alarmMoves},

		{"A transcript grows at its end", transcriptGrows},
		{"A header is replaced, and kept where there is none", header},
		{"Transcripts are listed by prefix, in order", transcriptsListed},
		{"A forgotten transcript is gone", forget},
	} {
		t.Run(part.name, func(t *testing.T) {
			store, reopen := open(t)
			part.spec(&fixture{T: t, open: store})
			if reopen != nil {
				t.Run("reopened before every call", func(t *testing.T) {
					store, reopen := open(t)
					part.spec(&fixture{T: t, open: store, reopen: reopen})
				})
			}
		})
	}
	// Holds and paces need not survive Close.
	for _, part := range []struct {
		name string
		spec func(*fixture)
	}{
		{"One holds a name until its instant", hold},
		{"Who gives up a name frees it", holdGivenUp},
		{"A clock that runs behind takes nobody's hold", holdClocks},
		{"A queue moves at an even pace", pace},
		{"A queue may run ahead, and is forgotten when it is idle", paceBurst},
		{"A clock that runs behind gets its turn in the queue", paceClocks},
	} {
		t.Run(part.name, func(t *testing.T) {
			store, _ := open(t)
			part.spec(&fixture{T: t, open: store})
		})
	}
	for _, part := range []struct {
		name string
		spec func(*testing.T, storage.Store)
	}{
		{"Writers of one conversation make one line of versions", racingWriters},
		{"Of the same event at once one is committed", racingEvents},
		{"Of two claims to a name at once one succeeds", racingNames},
		{"Two at once never lease the same item", racingLeases},
		{"Who commits and who asks never lease the same item", racingCommitters},
		{"Of two at once one gets a hold", racingHolds},
		{"All that use a queue share it", sharedPace},
	} {
		t.Run(part.name, func(t *testing.T) {
			store, _ := open(t)
			part.spec(t, store)
		})
	}
	runPortable(t, open)
	t.Run("Any sequence of calls does what it does to the model", func(t *testing.T) {
		model(t, open)
	})
}

// noon is when the specification takes place.
var noon = time.Date(2031, time.March, 14, 12, 0, 0, 0, time.UTC)

// at is some minutes after noon.
func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

const forever = 60 * 24 // minutes

// A fixture calls a store and expects each call to succeed unless it says
// otherwise.
type fixture struct {
	*testing.T
	open   storage.Store
	reopen func() storage.Store
}

func (f *fixture) store() storage.Store {
	if f.reopen != nil {
		f.open = f.reopen()
	}
	return f.open
}

func (f *fixture) commit(c storage.Commit) {
	f.Helper()
	if err := f.store().Commit(f.Context(), c); err != nil {
		f.Fatalf("commit: %v", err)
	}
}

// refuse expects the commit to fail with the sentinel, or with an error that is
// none of them if want is nil.
func (f *fixture) refuse(c storage.Commit, want error) {
	f.Helper()
	err := f.store().Commit(f.Context(), c)
	if err == nil {
		f.Fatalf("commit succeeded, want an error")
	}
	if got := sentinel(err); !errors.Is(got, want) {
		f.Fatalf("commit: got %v, want %v", err, want)
	}
}

func (f *fixture) load(id string) storage.Record {
	f.Helper()
	r, err := f.store().Load(f.Context(), id)
	if err != nil {
		f.Fatalf("load: %v", err)
	}
	return r
}

func (f *fixture) noRecord(id string) {
	f.Helper()
	if _, err := f.store().Load(f.Context(), id); !errors.Is(err, storage.ErrNotFound) {
		f.Errorf("load: got %v, want %v", err, storage.ErrNotFound)
	}
}

// resolves expects the name to lead to id, or to nobody if id is empty.
func (f *fixture) resolves(name, id string) {
	f.Helper()
	got, err := f.store().Resolve(f.Context(), name)
	if id == "" {
		if !errors.Is(err, storage.ErrNotFound) {
			f.Errorf("resolve %q: got %q, %v, want %v", name, got, err, storage.ErrNotFound)
		}
		return
	}
	if got != id || err != nil {
		f.Errorf("resolve %q: got %q, %v, want %q", name, got, err, id)
	}
}

func (f *fixture) lease(lane storage.Lane, n int, now, until time.Time) []storage.Leased {
	f.Helper()
	leased, err := f.store().Lease(f.Context(), lane, n, now, until)
	if err != nil {
		f.Fatalf("lease: %v", err)
	}
	return leased
}

// items expects the leases to be for these items, in this order.
func (f *fixture) items(leased []storage.Leased, want ...string) {
	f.Helper()
	var items []string
	for _, l := range leased {
		items = append(items, l.Item)
	}
	f.equal("leased", items, want)
}

// leaseOne expects that exactly the item can be leased and leases it.
func (f *fixture) leaseOne(lane storage.Lane, item string, now, until time.Time) storage.Lease {
	f.Helper()
	leased := f.lease(lane, 10, now, until)
	f.items(leased, item)
	if len(leased) != 1 {
		f.FailNow()
	}
	return leased[0].Lease
}

func (f *fixture) leaseNone(lane storage.Lane, now time.Time) {
	f.Helper()
	f.items(f.lease(lane, 10, now, at(forever)))
}

func (f *fixture) postpone(l storage.Lease, until time.Time) {
	f.Helper()
	if err := f.store().Defer(f.Context(), l, until); err != nil {
		f.Fatalf("defer: %v", err)
	}
}

func (f *fixture) refuseDefer(l storage.Lease) {
	f.Helper()
	if err := f.store().Defer(f.Context(), l, at(forever)); !errors.Is(err, storage.ErrLeaseLost) {
		f.Errorf("defer: got %v, want %v", err, storage.ErrLeaseLost)
	}
}

func (f *fixture) waits(lane storage.Lane, count int, next time.Time) {
	f.Helper()
	gotCount, gotNext, err := f.store().Waiting(f.Context(), lane)
	if err != nil {
		f.Fatalf("waiting: %v", err)
	}
	if gotCount != count || !gotNext.Equal(next) {
		f.Errorf("waiting: got %d, %v, want %d, %v", gotCount, gotNext, count, next)
	}
}

func (f *fixture) due(now time.Time, n int, want ...string) {
	f.Helper()
	got, err := f.store().Due(f.Context(), now, n)
	if err != nil {
		f.Fatalf("due: %v", err)
	}
	f.equal("due", got, want)
}

func (f *fixture) transcript(name string) storage.Transcript {
	f.Helper()
	t, err := f.store().Transcript(f.Context(), name)
	if err != nil {
		f.Fatalf("transcript: %v", err)
	}
	return t
}

func (f *fixture) noTranscript(name string) {
	f.Helper()
	if _, err := f.store().Transcript(f.Context(), name); !errors.Is(err, storage.ErrNotFound) {
		f.Errorf("transcript: got %v, want %v", err, storage.ErrNotFound)
	}
}

func (f *fixture) transcripts(prefix string, n int, want ...string) {
	f.Helper()
	got, err := f.store().Transcripts(f.Context(), prefix, n)
	if err != nil {
		f.Fatalf("transcripts: %v", err)
	}
	f.equal("transcripts", got, want)
}

func (f *fixture) forget(name string) {
	f.Helper()
	if err := f.store().Forget(f.Context(), name); err != nil {
		f.Fatalf("forget: %v", err)
	}
}

func (f *fixture) sweep(before time.Time, n, want int) {
	f.Helper()
	got, err := f.store().Sweep(f.Context(), before, n)
	if err != nil {
		f.Fatalf("sweep: %v", err)
	}
	if got != want {
		f.Errorf("sweep dropped %d, want %d", got, want)
	}
}

// equal compares without telling nil from empty.
func (f *fixture) equal(what string, got, want any) {
	f.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		f.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// sentinel returns which of the package's errors err is, nil if none.
func sentinel(err error) error {
	for _, s := range []error{
		storage.ErrNotFound, storage.ErrConflict, storage.ErrDuplicate, storage.ErrLeaseLost,
		storage.ErrNameTaken, storage.ErrHeld, storage.ErrNotEmpty,
	} {
		if errors.Is(err, s) {
			return s
		}
	}
	return nil
}

// toCaller makes items of the callers' lane with the given IDs.
func toCaller(ids ...string) []storage.Item {
	var items []storage.Item
	for _, id := range ids {
		items = append(items, storage.Item{ID: id, Lane: storage.LaneCaller, Body: []byte("body of " + id)})
	}
	return items
}

// everything reads all that a store tells of the given names without changing
// it.
func everything(ctx context.Context, s storage.Store, ids, names []string) (map[string]any, error) {
	found := make(map[string]any)
	for _, id := range ids {
		r, err := s.Load(ctx, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		found["record "+id] = r
	}
	for _, name := range names {
		id, err := s.Resolve(ctx, name)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		found["name "+name] = id
	}
	for _, lane := range storage.Lanes() {
		count, next, err := s.Waiting(ctx, lane)
		if err != nil {
			return nil, err
		}
		found["count "+laneName(lane)] = count
		found["next "+laneName(lane)] = next
	}
	transcripts, err := s.Transcripts(ctx, "", 1000)
	if err != nil {
		return nil, err
	}
	found["transcripts"] = transcripts
	for _, name := range transcripts {
		t, err := s.Transcript(ctx, name)
		if err != nil {
			return nil, err
		}
		found["transcript "+name] = t
	}
	return found, nil
}
