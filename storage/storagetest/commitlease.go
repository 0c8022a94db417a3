package storagetest

import (
	"errors"
	"time"

	"suar/storage"
)

// commitAndLease expects the commit to succeed and to lease these items, in
// this order.
func (f *fixture) commitAndLease(c storage.Commit, until time.Time, lanes []storage.Lane, want ...string) []storage.Leased {
	f.Helper()
	leased, err := f.store().CommitAndLease(f.Context(), c, until, lanes...)
	if err != nil {
		f.Fatalf("commit and lease: %v", err)
	}
	f.items(leased, want...)
	if len(leased) != len(want) {
		f.FailNow()
	}
	return leased
}

var (
	toBoth     = []storage.Lane{caller, officers}
	toCallers  = []storage.Lane{caller}
	toOfficers = []storage.Lane{officers}
)

func leasesItsHeads(f *fixture) {
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Items: []storage.Item{{ID: "b1", Lane: caller, Priority: 255}}})
	c := storage.Commit{ID: "ann", Events: []string{"tg:1"}, At: at(1), State: []byte("1"), Items: []storage.Item{
		{ID: "c1", Lane: caller, Body: []byte("body of c1")}, {ID: "c2", Lane: caller, Priority: 9}, {ID: "o1", Lane: officers},
	}}
	leased := f.commitAndLease(c, at(5), toCallers, "c1")
	if leased[0].Token == 0 {
		f.Error("the lease has no token")
	}
	held := leased[0].Lease
	leased[0].Token = 0
	f.equal("leased", leased, []storage.Leased{{
		Lease: storage.Lease{Conversation: "ann", Item: "c1", Lane: caller}, Body: []byte("body of c1"), Tries: 1,
	}})
	f.equal("record", f.load("ann"), storage.Record{Version: 1, State: []byte("1")})
	f.waits(caller, 3, at(5))
	f.waits(officers, 1, time.Time{})
	// Nobody else's head is taken, and what was leased nobody else gets.
	f.leaseOne(caller, "b1", at(1), at(forever))
	f.leaseOne(officers, "o1", at(1), at(forever))
	f.leaseNone(caller, at(4))
	// In the order of the lanes; what is behind a head that is held waits.
	c = storage.Commit{ID: "cid", At: at(1), State: []byte("1"), Items: c.Items}
	f.commitAndLease(c, at(5), []storage.Lane{officers, caller}, "o1", "c1")
	// The lease is as good as any other.
	f.commitAndLease(storage.Commit{ID: "ann", Version: 1, At: at(2), State: []byte("2"), Ack: &held}, at(6), toBoth, "c2")
	f.leaseOne(caller, "c1", at(5), at(forever))
	f.leaseOne(caller, "c2", at(6), at(forever))
}

func leasesOldHeads(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	// A head of an earlier commit is the head still.
	old := f.commitAndLease(storage.Commit{ID: "ann", Version: 1, At: at(1), State: []byte("2"), Items: toCaller("a3")}, at(5), toBoth, "a1")[0]
	// Somebody holds it.
	f.commitAndLease(storage.Commit{ID: "ann", Version: 2, At: at(4), State: []byte("3")}, at(9), toBoth)
	// The lease has run out.
	again := f.commitAndLease(storage.Commit{ID: "ann", Version: 3, At: at(5), State: []byte("4")}, at(9), toBoth, "a1")[0]
	if again.Tries != 2 || again.Token <= old.Token {
		f.Errorf("the second lease has %d tries and the token %d after %d", again.Tries, again.Token, old.Token)
	}
	f.refuseDefer(old.Lease)
	// It was deferred.
	f.postpone(again.Lease, at(20))
	f.commitAndLease(storage.Commit{ID: "ann", Version: 4, At: at(19), State: []byte("5")}, at(30), toBoth)
	f.commitAndLease(storage.Commit{ID: "ann", Version: 5, At: at(20), State: []byte("6")}, at(30), toBoth, "a1")
	f.leaseNone(caller, at(29))
	f.waits(caller, 3, at(30))
}

func leasesNextAfterAck(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	l := f.leaseOne(caller, "a1", at(0), at(10))
	l = f.commitAndLease(storage.Commit{
		ID: "ann", Version: 1, Events: []string{"effect:a1"}, At: at(1), State: []byte("2"), Ack: &l, Items: toCaller("a3"),
	}, at(10), toBoth, "a2")[0].Lease
	// The outbox of a record that is erased is delivered too.
	l = f.commitAndLease(storage.Commit{ID: "ann", Version: 2, At: at(1), Ack: &l}, at(10), toBoth, "a3")[0].Lease
	f.noRecord("ann")
	// What takes the place of the last one is the head as well.
	l = f.commitAndLease(storage.Commit{ID: "ann", At: at(1), Ack: &l, Items: toCaller("a4")}, at(10), toBoth, "a4")[0].Lease
	f.commitAndLease(storage.Commit{ID: "ann", At: at(1), Ack: &l}, at(10), toBoth)
	f.waits(caller, 0, time.Time{})
	f.leaseNone(caller, at(forever))
}

func leasesNothingUnasked(f *fixture) {
	f.commitAndLease(storage.Commit{ID: "ann", At: at(1), State: []byte("1"), Items: toCaller("a1")}, at(9), nil)
	f.commitAndLease(storage.Commit{ID: "ann", Version: 1, At: at(1), State: []byte("1")}, at(9), toOfficers)
	f.commitAndLease(storage.Commit{ID: "bob", At: at(1), State: []byte("1")}, at(9), toBoth)
	f.waits(caller, 1, time.Time{})
	f.leaseOne(caller, "a1", at(0), at(1))
}

func refusedLeasesNothing(f *fixture) {
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Names: []string{"bobs"}})
	f.commit(storage.Commit{ID: "ann", Events: []string{"seen"}, State: []byte("1"), Items: toCaller("a1", "a2")})
	lost := f.leaseOne(caller, "a1", at(0), at(1))
	f.leaseOne(caller, "a1", at(1), at(2))
	for _, tt := range []struct {
		c    storage.Commit
		want error
	}{
		{storage.Commit{Version: 1, Events: []string{"new", "seen"}}, storage.ErrDuplicate},
		{storage.Commit{Version: 1, Events: []string{"new"}, Ack: &lost}, storage.ErrLeaseLost},
		{storage.Commit{Version: 9, Events: []string{"new"}}, storage.ErrConflict},
		{storage.Commit{Version: 1, Events: []string{"new"}, Names: []string{"bobs"}}, storage.ErrNameTaken},
		{storage.Commit{Version: 1, Events: []string{"new", "new"}}, nil},
	} {
		tt.c.ID, tt.c.At, tt.c.State, tt.c.Items = "ann", at(5), []byte("2"), toCaller("a3")
		leased, err := f.store().CommitAndLease(f.Context(), tt.c, at(9), toBoth...)
		if err == nil || !errors.Is(sentinel(err), tt.want) || len(leased) != 0 {
			f.Errorf("commit and lease: got %d leases and %v, want none and %v", len(leased), err, tt.want)
		}
	}
	f.waits(caller, 2, at(2))
	f.equal("record", f.load("ann"), storage.Record{Version: 1, State: []byte("1")})
	f.leaseOne(caller, "a1", at(2), at(3))
}

// lostAnswer is about a committer that did not learn what it has leased.
func lostAnswer(f *fixture) {
	c := storage.Commit{ID: "ann", Events: []string{"tg:1"}, At: at(1), State: []byte("1"), Items: toCaller("a1")}
	lost := f.commitAndLease(c, at(5), toCallers, "a1")[0].Lease
	leased, err := f.store().CommitAndLease(f.Context(), c, at(9), toCallers...)
	if !errors.Is(err, storage.ErrDuplicate) || len(leased) != 0 {
		f.Errorf("again: got %d leases and %v, want none and %v", len(leased), err, storage.ErrDuplicate)
	}
	// The lease runs out as if its holder had died, and then anybody goes on.
	f.leaseNone(caller, at(4))
	l := f.lease(caller, 10, at(5), at(9))
	f.items(l, "a1")
	if l[0].Tries != 2 {
		f.Errorf("the item has %d tries, want 2", l[0].Tries)
	}
	f.refuse(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &lost}, storage.ErrLeaseLost)
}
