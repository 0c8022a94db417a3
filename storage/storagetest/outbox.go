package storagetest

import (
	"time"

	"suar/storage"
)

const (
	caller   = storage.LaneCaller
	officers = storage.LaneOfficers
	keeper   = storage.LaneKeeper
)

func laneOrder(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a2", "a1")})
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Items: toCaller("a3")})
	version := uint64(2)
	for i, item := range []string{"a2", "a1", "a3", "a4"} {
		l := f.leaseOne(caller, item, at(i), at(forever))
		f.leaseNone(caller, at(i))
		c := storage.Commit{ID: "ann", Version: version, State: []byte("x"), Ack: &l}
		if item == "a2" {
			// What an acknowledgement brings goes to the end.
			c.Items = toCaller("a4")
		}
		f.commit(c)
		version++
	}
	f.leaseNone(caller, at(forever))
	f.waits(caller, 0, time.Time{})
}

func lanesApart(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: []storage.Item{
		{ID: "c1", Lane: caller}, {ID: "o1", Lane: officers}, {ID: "c2", Lane: caller}, {ID: "o2", Lane: officers},
	}})
	f.leaseOne(caller, "c1", at(0), at(forever))
	l := f.leaseOne(officers, "o1", at(0), at(forever))
	f.leaseNone(caller, at(1))
	f.leaseNone(officers, at(1))
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &l})
	f.leaseNone(caller, at(1))
	f.leaseOne(officers, "o2", at(1), at(forever))
	f.waits(caller, 2, at(forever))
	f.waits(officers, 1, at(forever))
	// The same item in the other lane is not the one that is leased.
	l.Lane = caller
	f.refuse(storage.Commit{ID: "ann", Version: 2, State: []byte("3"), Ack: &l}, storage.ErrLeaseLost)
}

func priority(f *fixture) {
	put := func(id string, items ...storage.Item) {
		f.commit(storage.Commit{ID: id, State: []byte("1"), Items: items})
	}
	put("ann", storage.Item{ID: "low-old", Lane: caller, Priority: 1}, storage.Item{ID: "behind", Lane: caller, Priority: 255})
	put("bob", storage.Item{ID: "high-old", Lane: caller, Priority: 200})
	put("cid", storage.Item{ID: "zero", Lane: caller})
	put("dan", storage.Item{ID: "low-new", Lane: caller, Priority: 1})
	put("eve", storage.Item{ID: "high-new", Lane: caller, Priority: 200})
	put("fay", storage.Item{ID: "elsewhere", Lane: officers, Priority: 255})

	first := f.lease(caller, 2, at(0), at(2))
	f.items(first, "high-old", "high-new")
	f.items(f.lease(caller, 2, at(0), at(1)), "low-old", "low-new")
	f.items(f.lease(caller, 2, at(0), at(1)), "zero")
	// What was leased before comes back in its old place, whenever it came
	// free.
	f.postpone(first[0].Lease, at(3))
	f.items(f.lease(caller, 1, at(3), at(4)), "high-old")
	f.items(f.lease(caller, 10, at(3), at(4)), "high-new", "low-old", "low-new", "zero")
	// The urgent item behind ann's head becomes the first only as a head.
	again := f.lease(caller, 10, at(4), at(5))
	f.items(again, "high-old", "high-new", "low-old", "low-new", "zero")
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &again[2].Lease})
	f.items(f.lease(caller, 10, at(5), at(6)), "behind", "high-old", "high-new", "low-new", "zero")
}

func leaseLimit(f *fixture) {
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		f.commit(storage.Commit{ID: id, State: []byte("1"), Items: toCaller(id + "1")})
	}
	f.items(f.lease(caller, 0, at(0), at(9)))
	f.items(f.lease(caller, 2, at(0), at(9)), "a1", "b1")
	f.items(f.lease(caller, 1, at(0), at(9)), "c1")
	f.items(f.lease(caller, 1000, at(0), at(9)), "d1", "e1")
	f.items(f.lease(caller, 1000, at(0), at(9)))
}

func leaseHolds(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	f.leaseOne(caller, "a1", at(0), at(10))
	f.leaseNone(caller, at(0))
	f.leaseNone(caller, at(10).Add(-time.Nanosecond))
	f.leaseOne(caller, "a1", at(10), at(20))
	f.leaseNone(caller, at(10))
	// Changing the record does not touch the lease.
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Items: toCaller("a3")})
	f.leaseNone(caller, at(19))
	f.leaseOne(caller, "a1", at(20), at(30))
}

func fencing(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	var leases []storage.Lease
	for i := range 4 {
		leased := f.lease(caller, 1, at(i), at(i+1))
		if len(leased) != 1 {
			f.Fatalf("leased %d items, want 1", len(leased))
		}
		if leased[0].Tries != i+1 {
			f.Errorf("lease %d has %d tries", i+1, leased[0].Tries)
		}
		if i > 0 && leased[0].Token <= leases[i-1].Token {
			f.Errorf("the token %d follows %d", leased[0].Token, leases[i-1].Token)
		}
		leases = append(leases, leased[0].Lease)
	}
	for _, old := range leases[:3] {
		f.refuse(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &old}, storage.ErrLeaseLost)
		f.refuseDefer(old)
	}
	f.equal("record", f.load("ann"), storage.Record{Version: 1, State: []byte("1")})
	f.waits(caller, 2, at(4))
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &leases[3]})
}

func expiredLease(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Items: toCaller("b1")})
	leased := f.lease(caller, 10, at(0), at(1))
	f.items(leased, "a1", "b1")
	// Nobody can take over in the other lane, nor before the lease runs out.
	f.leaseNone(officers, at(5))
	f.commit(storage.Commit{ID: "ann", Version: 1, At: at(5), State: []byte("2"), Ack: &leased[0].Lease})
	f.postpone(leased[1].Lease, at(5))
	// Now somebody does.
	f.items(f.lease(caller, 10, at(5), at(6)), "a2", "b1")
	f.refuseDefer(leased[1].Lease)
}

func delivered(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	l := f.leaseOne(caller, "a1", at(0), at(10))
	f.commit(storage.Commit{ID: "ann", Version: 1, Events: []string{"effect:a1"}, State: []byte("2"), Ack: &l})
	f.waits(caller, 1, time.Time{})
	f.refuse(storage.Commit{ID: "ann", Version: 2, Events: []string{"effect:a1"}, State: []byte("3"), Ack: &l}, storage.ErrDuplicate)
	f.refuse(storage.Commit{ID: "ann", Version: 2, Events: []string{"other"}, State: []byte("3"), Ack: &l}, storage.ErrLeaseLost)
	f.refuseDefer(l)
	next := f.leaseOne(caller, "a2", at(1), at(10))
	f.refuse(storage.Commit{ID: "ann", Version: 2, Events: []string{"other"}, State: []byte("3"), Ack: &l}, storage.ErrLeaseLost)
	f.refuseDefer(l)
	f.commit(storage.Commit{ID: "ann", Version: 2, Events: []string{"effect:a2"}, State: []byte("3"), Ack: &next})
	f.leaseNone(caller, at(forever))
}

func forgedLease(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	for _, l := range []storage.Lease{
		{Conversation: "ann", Item: "a1", Lane: caller},
		{Conversation: "ann", Item: "a1", Lane: caller, Token: 1 << 40},
		{Conversation: "ann", Item: "a2", Lane: caller},
		{Conversation: "ann", Item: "none", Lane: caller, Token: 1},
		{Conversation: "ann", Lane: caller},
		{Conversation: "ann", Item: "a1", Lane: officers, Token: 1},
		{Conversation: "ann", Item: "a1", Lane: 9, Token: 1},
	} {
		f.refuse(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &l}, storage.ErrLeaseLost)
		f.refuseDefer(l)
	}
	f.refuseDefer(storage.Lease{})
	f.refuseDefer(storage.Lease{Conversation: "nobody", Item: "a1", Lane: caller, Token: 1})
	l := f.leaseOne(caller, "a1", at(0), at(10))
	l.Token++
	f.refuse(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &l}, storage.ErrLeaseLost)
	f.refuseDefer(l)
	l.Token--
	l.Item = "a2"
	f.refuse(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &l}, storage.ErrLeaseLost)
	f.refuseDefer(l)
	f.waits(caller, 2, at(10))
}

func deferred(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Items: toCaller("b1")})
	leased := f.lease(caller, 1, at(0), at(5))
	f.items(leased, "a1")
	f.postpone(leased[0].Lease, at(20))
	f.items(f.lease(caller, 10, at(5), at(forever)), "b1")
	f.leaseNone(caller, at(19))
	f.waits(caller, 3, at(20))
	again := f.lease(caller, 10, at(20), at(30))
	f.items(again, "a1")
	if again[0].Tries != 2 {
		f.Errorf("the item has %d tries, want 2", again[0].Tries)
	}
	// An item may be given back for now.
	f.postpone(again[0].Lease, at(20))
	f.leaseOne(caller, "a1", at(20), at(40))
	f.leaseNone(caller, at(20))
}

func deferTwice(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2")})
	l := f.leaseOne(caller, "a1", at(0), at(5))
	f.postpone(l, at(20))
	f.postpone(l, at(20))
	f.postpone(l, at(10))
	f.leaseNone(caller, at(9))
	// It was given back, but nobody else has it: the late success counts.
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &l})
	f.leaseOne(caller, "a2", at(0), at(5))
}

func waiting(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1", "a2", "a3")})
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Items: toCaller("b1")})
	f.waits(caller, 4, time.Time{})
	f.waits(officers, 0, time.Time{})
	leased := f.lease(caller, 10, at(0), at(10))
	f.waits(caller, 4, at(10))
	f.postpone(leased[0].Lease, at(5))
	f.waits(caller, 4, at(5))
	f.postpone(leased[0].Lease, at(15))
	f.waits(caller, 4, at(10))
	f.commit(storage.Commit{ID: "bob", Version: 1, State: []byte("2"), Ack: &leased[1].Lease})
	f.waits(caller, 3, at(15))
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Ack: &leased[0].Lease})
	f.waits(caller, 2, time.Time{})
	f.leaseOne(caller, "a2", at(0), at(1))
	// An instant that has come is told until somebody leases the head.
	f.commit(storage.Commit{ID: "cid", State: []byte("1"), Items: []storage.Item{{ID: "c1", Lane: caller, Priority: 1}}})
	f.items(f.lease(caller, 1, at(2), at(7)), "c1")
	f.waits(caller, 3, at(1))
	f.leaseOne(caller, "a2", at(2), at(3))
	f.waits(caller, 3, at(3))
}

// clockBehind is about two processes whose clocks differ.
func clockBehind(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Items: toCaller("a1")})
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Items: []storage.Item{{ID: "b1", Lane: caller, Priority: 1}}})
	f.items(f.lease(caller, 2, at(0), at(10)), "b1", "a1")
	f.items(f.lease(caller, 1, at(10), at(20)), "b1")
	f.leaseNone(caller, at(9))
	f.leaseOne(caller, "a1", at(10), at(20))
}
