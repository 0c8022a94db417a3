package storagetest

import (
	"bytes"
	"strings"
	"time"

	"suar/storage"
)

func newConversation(f *fixture) {
	f.noRecord("ann")
	f.resolves("thread", "")
	f.noTranscript("case")
	f.transcripts("", 10)
	f.waits(storage.LaneCaller, 0, time.Time{})
	f.leaseNone(storage.LaneCaller, at(0))
	f.due(at(forever), 10)
	f.sweep(at(forever), 10, 0)
}

func versions(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("one"), Alarm: at(5)})
	f.equal("record", f.load("ann"), storage.Record{Version: 1, State: []byte("one"), Alarm: at(5)})
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("two")})
	f.equal("record", f.load("ann"), storage.Record{Version: 2, State: []byte("two")})

	f.refuse(storage.Commit{ID: "ann", State: []byte("new")}, storage.ErrConflict)
	f.refuse(storage.Commit{ID: "ann", Version: 1, State: []byte("behind")}, storage.ErrConflict)
	f.refuse(storage.Commit{ID: "ann", Version: 3, State: []byte("ahead")}, storage.ErrConflict)
	f.refuse(storage.Commit{ID: "bob", Version: 1, State: []byte("unknown")}, storage.ErrConflict)
	f.equal("record", f.load("ann"), storage.Record{Version: 2, State: []byte("two")})
	f.noRecord("bob")
}

func wholeCommit(f *fixture) {
	f.commit(storage.Commit{
		ID: "ann", Events: []string{"tg:1"}, At: at(0), State: []byte("state"),
		Names: []string{"thread", "card"}, Alarm: at(30),
		Items: []storage.Item{
			{ID: "say", Lane: storage.LaneCaller, Body: []byte("hello")},
			{ID: "post", Lane: storage.LaneOfficers, Body: []byte("alert")},
		},
		Transcript: "case", Header: []byte("header"), Entries: [][]byte{[]byte("first"), []byte("second")},
	})
	f.equal("record", f.load("ann"), storage.Record{Version: 1, State: []byte("state"), Alarm: at(30)})
	f.resolves("thread", "ann")
	f.resolves("card", "ann")
	f.due(at(30), 10, "ann")
	f.equal("transcript", f.transcript("case"), storage.Transcript{
		Header: []byte("header"), Entries: [][]byte{[]byte("first"), []byte("second")},
	})
	f.waits(storage.LaneCaller, 1, time.Time{})
	f.waits(storage.LaneOfficers, 1, time.Time{})
	leased := f.lease(storage.LaneCaller, 1, at(1), at(2))
	if len(leased) != 1 || leased[0].Token == 0 {
		f.Fatalf("got the leases %+v, want one with a token", leased)
	}
	leased[0].Token = 0
	f.equal("leased", leased, []storage.Leased{{
		Lease: storage.Lease{Conversation: "ann", Item: "say", Lane: storage.LaneCaller},
		Body:  []byte("hello"), Tries: 1,
	}})
	f.refuse(storage.Commit{ID: "ann", Version: 1, Events: []string{"tg:1"}, State: []byte("again")}, storage.ErrDuplicate)
}

// refusedCommit lets a commit with everything in it fail for each reason, and
// finds nothing of it.
func refusedCommit(f *fixture) {
	f.commit(storage.Commit{ID: "bob", State: []byte("bob"), Names: []string{"bobs"}})
	f.commit(storage.Commit{
		ID: "ann", Events: []string{"seen"}, State: []byte("before"), Names: []string{"old"}, Alarm: at(7),
		Items: toCaller("a1", "a2"), Transcript: "case", Header: []byte("header"), Entries: [][]byte{[]byte("entry")},
	})
	lost := f.leaseOne(storage.LaneCaller, "a1", at(0), at(1))
	held := f.leaseOne(storage.LaneCaller, "a1", at(1), at(forever))
	full := func() storage.Commit {
		return storage.Commit{
			ID: "ann", Version: 1, Events: []string{"new"}, At: at(2), State: []byte("after"),
			Names: []string{"fresh"}, Alarm: at(3), Items: toCaller("a3"),
			Transcript: "case", Header: []byte("changed"), Entries: [][]byte{[]byte("more")},
			Ack: &held,
		}
	}
	ids, names := []string{"ann", "bob"}, []string{"bobs", "old", "fresh"}
	before, err := everything(f.Context(), f.store(), ids, names)
	if err != nil {
		f.Fatal(err)
	}
	for _, tt := range []struct {
		reason string
		change func(*storage.Commit)
		want   error
	}{
		{"duplicate", func(c *storage.Commit) { c.Events = []string{"seen"} }, storage.ErrDuplicate},
		{"lease lost", func(c *storage.Commit) { c.Ack = &lost }, storage.ErrLeaseLost},
		{"conflict", func(c *storage.Commit) { c.Version = 2 }, storage.ErrConflict},
		{"a name of another", func(c *storage.Commit) { c.Names = []string{"fresh", "bobs"} }, storage.ErrNameTaken},
		{"a name too long", func(c *storage.Commit) { c.Names = append(c.Names, strings.Repeat("n", 65)) }, nil},
		{"an item's ID too long", func(c *storage.Commit) { c.Items = append(c.Items, toCaller(strings.Repeat("i", 65))...) }, nil},
		{"an unknown lane", func(c *storage.Commit) {
			c.Items = append(c.Items, storage.Item{ID: "a4", Lane: storage.LanePager + 1})
		}, nil},
		{"entries of no transcript", func(c *storage.Commit) { c.Transcript = "" }, nil},
	} {
		c := full()
		tt.change(&c)
		f.refuse(c, tt.want)
		after, err := everything(f.Context(), f.store(), ids, names)
		if err != nil {
			f.Fatal(err)
		}
		f.equal("after the refusal for "+tt.reason, after, before)
	}
	// The event's identity and the lease are untouched too.
	f.commit(full())
	f.equal("record", f.load("ann"), storage.Record{Version: 2, State: []byte("after"), Alarm: at(3)})
	f.leaseOne(storage.LaneCaller, "a2", at(4), at(5))
}

func errorOrder(f *fixture) {
	f.commit(storage.Commit{ID: "ann", Events: []string{"seen"}, State: []byte("one"), Items: toCaller("a1")})
	f.commit(storage.Commit{ID: "bob", State: []byte("bob"), Names: []string{"bobs"}})
	lost := f.leaseOne(storage.LaneCaller, "a1", at(0), at(1))
	f.leaseOne(storage.LaneCaller, "a1", at(1), at(2))

	const wrong = 7
	taken := []string{"bobs"}
	f.refuse(storage.Commit{ID: "ann", Events: []string{"seen"}, Ack: &lost, Version: wrong, State: []byte("x"), Names: taken}, storage.ErrDuplicate)
	f.refuse(storage.Commit{ID: "ann", Events: []string{"new"}, Ack: &lost, Version: wrong, State: []byte("x"), Names: taken}, storage.ErrLeaseLost)
	f.refuse(storage.Commit{ID: "ann", Events: []string{"new"}, Version: wrong, State: []byte("x"), Names: taken}, storage.ErrConflict)
	f.refuse(storage.Commit{ID: "ann", Events: []string{"new"}, Version: 1, State: []byte("x"), Names: taken}, storage.ErrNameTaken)
}

func erase(f *fixture) {
	f.commit(storage.Commit{
		ID: "ann", State: []byte("state"), Names: []string{"thread"}, Alarm: at(1), Items: toCaller("a1"),
		Transcript: "case", Header: []byte("header"), Entries: [][]byte{[]byte("entry")},
	})
	// The names and the alarm of a commit that erases the record go with it.
	f.commit(storage.Commit{
		ID: "ann", Version: 1, Names: []string{"thread", "new"}, Alarm: at(2), Items: toCaller("a2"),
		Transcript: "case", Entries: [][]byte{[]byte("last")},
	})
	f.noRecord("ann")
	f.resolves("thread", "")
	f.resolves("new", "")
	f.due(at(forever), 10)
	f.waits(storage.LaneCaller, 2, time.Time{})
	f.leaseOne(storage.LaneCaller, "a1", at(0), at(1))
	f.equal("transcript", f.transcript("case"), storage.Transcript{
		Header: []byte("header"), Entries: [][]byte{[]byte("entry"), []byte("last")},
	})

	// The name is free, and the versions begin again.
	f.commit(storage.Commit{ID: "bob", State: []byte("bob"), Names: []string{"thread"}})
	f.resolves("thread", "bob")
	f.refuse(storage.Commit{ID: "ann", Version: 2, State: []byte("late")}, storage.ErrConflict)
	f.commit(storage.Commit{ID: "ann", State: []byte("again")})
	f.equal("record", f.load("ann"), storage.Record{Version: 1, State: []byte("again")})
	// What was kept before goes before what comes now.
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("again"), Items: toCaller("a3")})
	f.leaseOne(storage.LaneCaller, "a1", at(1), at(2))

	// A conversation may have no record from the first to the last.
	f.commit(storage.Commit{ID: "eve", Events: []string{"tg:1"}, Items: toCaller("e1")})
	f.noRecord("eve")
	f.refuse(storage.Commit{ID: "eve", Events: []string{"tg:1"}, Items: toCaller("e1")}, storage.ErrDuplicate)
}

func emptyState(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte{}, Names: []string{"thread"}})
	f.equal("record", f.load("ann"), storage.Record{Version: 1})
	f.resolves("thread", "ann")
	f.refuse(storage.Commit{ID: "ann", State: []byte{}}, storage.ErrConflict)
}

func ackErased(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("state"), Items: toCaller("a1")})
	first := f.leaseOne(storage.LaneCaller, "a1", at(0), at(10))
	f.commit(storage.Commit{ID: "ann", Version: 1, Items: toCaller("a2")})
	f.commit(storage.Commit{ID: "ann", Events: []string{"effect:a1"}, Ack: &first})
	f.noRecord("ann")
	f.refuse(storage.Commit{ID: "ann", Events: []string{"effect:a1"}, Ack: &first}, storage.ErrDuplicate)
	second := f.leaseOne(storage.LaneCaller, "a2", at(1), at(10))
	// The conversation may have begun again meanwhile.
	f.commit(storage.Commit{ID: "ann", State: []byte("again")})
	f.refuse(storage.Commit{ID: "ann", Ack: &second}, storage.ErrConflict)
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("again"), Ack: &second})
	f.waits(storage.LaneCaller, 0, time.Time{})
}

func limits(f *fixture) {
	for _, fill := range []string{"x", "\x00", "\xff", "\n", " ", ":"} {
		long, tooLong := strings.Repeat(fill, 64), strings.Repeat(fill, 65)
		c := storage.Commit{
			ID: long, Events: []string{long}, State: []byte("state"), Names: []string{long}, Alarm: at(1),
			Items:      []storage.Item{{ID: long, Lane: storage.LaneCaller, Priority: 255}},
			Transcript: long, Header: []byte("header"), Entries: [][]byte{[]byte("entry"), {}},
		}
		f.commit(c)
		f.refuse(c, storage.ErrDuplicate)
		f.resolves(long, long)
		f.due(at(1), 10, long)
		f.transcripts(long, 10, long)
		f.equal("transcript", f.transcript(long), storage.Transcript{Header: []byte("header"), Entries: c.Entries})
		l := f.leaseOne(storage.LaneCaller, long, at(0), at(1))
		f.commit(storage.Commit{ID: long, Version: 1, Ack: &l})
		f.forget(long)

		f.refuse(storage.Commit{ID: tooLong, State: []byte("x")}, nil)
		f.refuse(storage.Commit{ID: "ann", Events: []string{tooLong}, State: []byte("x")}, nil)
		f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Names: []string{tooLong}}, nil)
		f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Items: toCaller(tooLong)}, nil)
		f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Transcript: tooLong, Header: []byte("x")}, nil)
		f.noRecord(tooLong)
		f.resolves(tooLong, "")
		f.noTranscript(tooLong)
		f.transcripts(tooLong, 10)
		f.forget(tooLong)
	}
	f.refuse(storage.Commit{State: []byte("x")}, nil)
	f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Names: []string{""}}, nil)
	f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Items: toCaller("")}, nil)
	f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Items: []storage.Item{{ID: "i"}}}, nil)
	f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Ack: &storage.Lease{Conversation: "bob", Item: "i", Lane: storage.LaneCaller, Token: 1}}, nil)

	many := make([]storage.Item, 1001)
	for i := range many {
		many[i] = storage.Item{ID: strings.Repeat("i", i%64+1) + string(rune('a'+i/64)), Lane: storage.LaneCaller}
		many[i].ID = many[i].ID[max(0, len(many[i].ID)-64):]
	}
	f.refuse(storage.Commit{ID: "ann", State: []byte("x"), Items: many}, nil)
	f.waits(storage.LaneCaller, 0, time.Time{})
	f.commit(storage.Commit{ID: "ann", State: []byte("x"), Items: many[:1000]})
	f.waits(storage.LaneCaller, 1000, time.Time{})
}

// opaqueNames uses names that a careless key would confuse.
func opaqueNames(f *fixture) {
	ids := []string{"a", "a\x00", "a\x00b", "ab", "\x00", "\xff", "\xff\xff", "a:b", "{a}", "*", "a?", "../a"}
	for _, id := range ids {
		f.commit(storage.Commit{
			ID: id, Events: []string{"b"}, State: []byte("state of " + id), Names: []string{id}, Alarm: at(1),
			Items: toCaller("of " + id), Transcript: id, Entries: [][]byte{[]byte("entry of " + id)},
		})
	}
	for _, id := range ids {
		f.equal("record of "+id, f.load(id), storage.Record{Version: 1, State: []byte("state of " + id), Alarm: at(1)})
		f.resolves(id, id)
		f.equal("transcript of "+id, f.transcript(id), storage.Transcript{Entries: [][]byte{[]byte("entry of " + id)}})
	}
	leased := f.lease(storage.LaneCaller, len(ids)+1, at(0), at(1))
	if len(leased) != len(ids) {
		f.Fatalf("leased %d items, want %d", len(leased), len(ids))
	}
	for i, l := range leased {
		if l.Conversation != ids[i] || l.Item != "of "+ids[i] {
			f.Errorf("leased %q of %q, want the one of %q", l.Item, l.Conversation, ids[i])
		}
	}
	f.commit(storage.Commit{ID: "a", Version: 1, Ack: &leased[0].Lease})
	f.forget("a")
	for _, id := range ids[1:] {
		f.equal("record of "+id, f.load(id), storage.Record{Version: 1, State: []byte("state of " + id), Alarm: at(1)})
		f.equal("transcript of "+id, f.transcript(id), storage.Transcript{Entries: [][]byte{[]byte("entry of " + id)}})
	}
	f.refuse(storage.Commit{ID: "a", Events: []string{"b"}}, storage.ErrDuplicate)
	f.commit(storage.Commit{ID: "a", Events: []string{"\x00b"}, State: []byte("other")})
}

func aliasing(f *fixture) {
	// A store that holds little may hand out copies that it does not when it
	// holds more.
	f.commit(storage.Commit{ID: "bob", State: bytes.Repeat([]byte("much "), 10_000)})
	state, body, head, entry := []byte("state"), []byte("body"), []byte("header"), []byte("entry")
	names, entries := []string{"thread"}, [][]byte{entry}
	items := []storage.Item{{ID: "a1", Lane: storage.LaneCaller, Body: body}}
	f.commit(storage.Commit{
		ID: "ann", State: state, Names: names, Items: items,
		Transcript: "case", Header: head, Entries: entries,
	})
	f.equal("given", [][]byte{state, body, head, entry},
		[][]byte{[]byte("state"), []byte("body"), []byte("header"), []byte("entry")})
	spoil := func(slices ...[]byte) {
		for _, s := range slices {
			for i := range s {
				s[i] = '!'
			}
		}
	}
	for range 2 {
		spoil(state, body, head, entry)
		names[0], entries[0], items[0].ID = "!", nil, "!"
		r, t := f.load("ann"), f.transcript("case")
		leased := f.lease(storage.LaneCaller, 1, at(0), at(0))
		if len(leased) != 1 || len(t.Entries) != 1 {
			f.Fatalf("got %d items and %d entries, want one of each", len(leased), len(t.Entries))
		}
		f.equal("kept", [][]byte{r.State, leased[0].Body, t.Header, t.Entries[0]},
			[][]byte{[]byte("state"), []byte("body"), []byte("header"), []byte("entry")})
		f.resolves("thread", "ann")
		// The next round finds whether these are the store's own.
		state, body, head, entry = r.State, leased[0].Body, t.Header, t.Entries[0]
	}

	// What was given does not change with what comes later.
	r, t := f.load("ann"), f.transcript("case")
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("STATE"), Transcript: "case", Header: []byte("HEADER"), Entries: [][]byte{[]byte("ENTRY")}})
	f.equal("given before", [][]byte{r.State, t.Header, t.Entries[0]},
		[][]byte{[]byte("state"), []byte("header"), []byte("entry")})
}

func instants(f *fixture) {
	jakarta := time.FixedZone("WIB", 7*60*60)
	alarm := time.Date(2031, time.March, 14, 19, 0, 0, 123456789, jakarta)
	f.commit(storage.Commit{
		ID: "ann", Events: []string{"tg:1"}, At: alarm, State: []byte("state"), Alarm: alarm, Items: toCaller("a1"),
	})
	r := f.load("ann")
	if !r.Alarm.Equal(alarm) || r.Alarm.Location() != time.UTC {
		f.Errorf("the alarm is %v, want %v", r.Alarm, alarm.UTC())
	}
	f.due(alarm.Add(-1), 1)
	f.due(alarm, 1, "ann")

	l := f.leaseOne(storage.LaneCaller, "a1", at(0), alarm)
	f.waits(storage.LaneCaller, 1, alarm)
	f.leaseNone(storage.LaneCaller, alarm.Add(-1))
	f.postpone(l, alarm.Add(1))
	f.waits(storage.LaneCaller, 1, alarm.Add(1))
	f.leaseNone(storage.LaneCaller, alarm)
	f.leaseOne(storage.LaneCaller, "a1", alarm.Add(1), at(forever))

	f.sweep(alarm, 10, 0)
	f.sweep(alarm.Add(1), 10, 1)
}

func largeValues(f *fixture) {
	large := func(b byte) []byte { return bytes.Repeat([]byte{b, 0, 0xff}, 100_000) }
	c := storage.Commit{
		ID: "ann", State: large('s'),
		Items:      []storage.Item{{ID: "a1", Lane: storage.LaneCaller, Body: large('b')}},
		Transcript: "case", Header: large('h'), Entries: [][]byte{large('1'), large('2')},
	}
	f.commit(c)
	leased := f.lease(storage.LaneCaller, 1, at(0), at(1))
	if len(leased) != 1 || !bytes.Equal(leased[0].Body, large('b')) {
		f.Error("the item's body is not as it was committed")
	}
	if !bytes.Equal(f.load("ann").State, large('s')) {
		f.Error("the state is not as it was committed")
	}
	t := f.transcript("case")
	if !bytes.Equal(t.Header, large('h')) || !bytes.Equal(bytes.Join(t.Entries, nil), bytes.Join(c.Entries, nil)) {
		f.Error("the transcript is not as it was committed")
	}
}

func namesReplaced(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Names: []string{"one", "two", "two"}})
	f.resolves("one", "ann")
	f.resolves("two", "ann")
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Names: []string{"three", "two"}})
	f.resolves("one", "")
	f.resolves("two", "ann")
	f.resolves("three", "ann")
	f.commit(storage.Commit{ID: "ann", Version: 2, State: []byte("3")})
	f.resolves("two", "")
	f.resolves("three", "")
}

func namesHeld(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Names: []string{"thread"}})
	f.refuse(storage.Commit{ID: "bob", State: []byte("1"), Names: []string{"bobs", "thread"}}, storage.ErrNameTaken)
	f.resolves("thread", "ann")
	f.resolves("bobs", "")
	f.noRecord("bob")
	// A conversation's own ID is no further name: it can be somebody's.
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Names: []string{"ann"}})
	f.resolves("ann", "bob")
	f.resolves("bob", "")
	// What one gives up another can take.
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2")})
	f.commit(storage.Commit{ID: "bob", Version: 1, State: []byte("2"), Names: []string{"thread"}})
	f.resolves("thread", "bob")
	f.refuse(storage.Commit{ID: "ann", Version: 2, State: []byte("3"), Names: []string{"thread"}}, storage.ErrNameTaken)
}

func eventsOnce(f *fixture) {
	f.commit(storage.Commit{ID: "ann", Events: []string{"tg:1"}, State: []byte("1")})
	f.refuse(storage.Commit{ID: "ann", Version: 1, Events: []string{"tg:1"}, State: []byte("2")}, storage.ErrDuplicate)
	f.commit(storage.Commit{ID: "ann", Version: 1, Events: []string{"tg:2"}, State: []byte("2")})
	// Erasing the record does not make an old event new.
	f.commit(storage.Commit{ID: "ann", Version: 2, Events: []string{"tg:3"}})
	for _, event := range []string{"tg:1", "tg:2", "tg:3"} {
		f.refuse(storage.Commit{ID: "ann", Events: []string{event}, State: []byte("1")}, storage.ErrDuplicate)
	}
	f.noRecord("ann")
	// A commit without an event is never a duplicate.
	f.commit(storage.Commit{ID: "ann", State: []byte("1")})
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2")})
	f.equal("record", f.load("ann"), storage.Record{Version: 2, State: []byte("2")})
}

func eventsByConversation(f *fixture) {
	f.commit(storage.Commit{ID: "ann", Events: []string{"tg:1"}, State: []byte("1")})
	f.commit(storage.Commit{ID: "bob", Events: []string{"tg:1"}, State: []byte("1")})
	f.refuse(storage.Commit{ID: "bob", Events: []string{"tg:1"}, Version: 1, State: []byte("1")}, storage.ErrDuplicate)
}

func sweep(f *fixture) {
	for i, event := range []string{"e0", "e1", "e2", "e3"} {
		f.commit(storage.Commit{ID: "ann", Version: uint64(i), Events: []string{event}, At: at(i), State: []byte("x")})
	}
	f.sweep(at(0), 10, 0)
	f.sweep(at(2), 0, 0)
	f.sweep(at(2), 1, 1)
	f.sweep(at(2), 10, 1)
	f.sweep(at(2), 10, 0)
	f.refuse(storage.Commit{ID: "ann", Version: 4, Events: []string{"e2"}, State: []byte("x")}, storage.ErrDuplicate)
	f.refuse(storage.Commit{ID: "ann", Version: 4, Events: []string{"e3"}, State: []byte("x")}, storage.ErrDuplicate)
	f.commit(storage.Commit{ID: "ann", Version: 4, Events: []string{"e0"}, At: at(9), State: []byte("x")})
	f.commit(storage.Commit{ID: "ann", Version: 5, Events: []string{"e1"}, At: at(9), State: []byte("x")})
	f.sweep(at(9), 10, 2)
	f.sweep(at(10), 10, 2)
	f.equal("record", f.load("ann"), storage.Record{Version: 6, State: []byte("x")})
}
