package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"suar/storage"
)

// dumped reads all pieces.
func dumped(ctx context.Context, s storage.Store) ([]storage.Piece, error) {
	var pieces []storage.Piece
	err := s.Dump(ctx, func(p storage.Piece) error {
		pieces = append(pieces, p)
		return nil
	})
	return pieces, err
}

// content is all that the pieces say, in an order of its own and without what
// two stores with the same content need not agree on: an item's age is its
// place, and a token only tells whether there was one.
type content struct {
	Conversations []storage.Piece
	Transcripts   map[string]storage.Transcript
}

func contentOf(pieces []storage.Piece) content {
	c := content{Transcripts: make(map[string]storage.Transcript)}
	byID := make(map[string]storage.Piece)
	for _, p := range pieces {
		maps.Copy(c.Transcripts, p.Transcripts)
		p.Transcripts = nil
		if p.Version == 0 && len(p.Events)+len(p.Items) == 0 {
			delete(byID, p.ID)
			continue
		}
		byID[p.ID] = p
	}
	var ages []uint64
	for _, p := range byID {
		for _, q := range p.Items {
			ages = append(ages, q.Age)
		}
	}
	slices.Sort(ages)
	for _, p := range byID {
		p.Names = slices.Compact(slices.Sorted(slices.Values(p.Names)))
		p.Events = slices.SortedFunc(slices.Values(p.Events), func(a, b storage.Handled) int { return strings.Compare(a.Event, b.Event) })
		p.Items = slices.Clone(p.Items)
		slices.SortStableFunc(p.Items, func(a, b storage.Queued) int { return cmp.Compare(a.Lane, b.Lane) })
		for i := range p.Items {
			place, _ := slices.BinarySearch(ages, p.Items[i].Age)
			p.Items[i].Age, p.Items[i].Token = uint64(place), min(p.Items[i].Token, 1)
		}
		c.Conversations = append(c.Conversations, p)
	}
	slices.SortFunc(c.Conversations, func(a, b storage.Piece) int { return strings.Compare(a.ID, b.ID) })
	return c
}

// feed gives the pieces one after the other.
func feed(pieces []storage.Piece) func() (storage.Piece, error) {
	return func() (storage.Piece, error) {
		if len(pieces) == 0 {
			return storage.Piece{}, io.EOF
		}
		p := pieces[0]
		pieces = pieces[1:]
		return p, nil
	}
}

func (f *fixture) dump() []storage.Piece {
	f.Helper()
	pieces, err := dumped(f.Context(), f.store())
	if err != nil {
		f.Fatalf("dump: %v", err)
	}
	for _, p := range pieces {
		if err := p.Validate(); err != nil {
			f.Fatalf("a piece of the dump: %v", err)
		}
	}
	return pieces
}

func (f *fixture) fill(pieces ...storage.Piece) {
	f.Helper()
	if err := f.store().Fill(f.Context(), feed(pieces)); err != nil {
		f.Fatalf("fill: %v", err)
	}
}

// lived fills the store with something of everything.
func (f *fixture) lived() {
	f.commit(storage.Commit{
		ID: "ann", Events: []string{"tg:1", "tg:2"}, At: at(1), State: []byte("one"), Names: []string{"thread", "card"}, Alarm: at(30),
		Items: []storage.Item{
			{ID: "a1", Lane: caller, Priority: 3, Body: []byte("body of a1")}, {ID: "a2", Lane: caller, Priority: 200}, {ID: "p1", Lane: officers}, {ID: "k1", Lane: keeper, Body: []byte("body of k1")},
		},
		Transcript: "case", Header: []byte("header"), Entries: [][]byte{[]byte("first"), {}, []byte("third")},
	})
	f.commit(storage.Commit{ID: "bob\x00", State: []byte{}, Items: toCaller("b1")})
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("two"), Names: []string{"thread", "card"}, Alarm: at(31), Items: toCaller("a3")})
	// Of some there is no record, only what it left.
	f.commit(storage.Commit{ID: "cid", Events: []string{"tg:7"}, At: at(2), Items: toCaller("c1", "c2")})
	f.commit(storage.Commit{ID: "dan", Events: []string{"tg:8"}, At: at(3)})
	f.commit(storage.Commit{ID: "\xff\xff", Events: []string{"\xff", "tg:9"}, At: at(3)})
	f.commit(storage.Commit{ID: "bob\x00", Version: 1, State: []byte{0}, Items: []storage.Item{{ID: "b2", Lane: officers, Priority: 9}}, Transcript: "empty", Header: []byte{}})
	// a1 is leased, b1 deferred, c1 was leased and is deferred no more.
	leased := f.lease(caller, 10, at(3), at(20))
	f.items(leased, "a1", "b1", "c1")
	f.postpone(leased[1].Lease, at(40))
	f.postpone(leased[2].Lease, at(2))
}

func dumpAndFill(f *fixture, open Opener) {
	f.lived()
	pieces := f.dump()
	want := contentOf(pieces)
	if got := len(want.Conversations); got != 5 || len(want.Transcripts) != 2 {
		f.Fatalf("the dump has %d conversations and %d transcripts, want 5 and 2", got, len(want.Transcripts))
	}
	var token uint64
	for _, p := range pieces {
		for _, q := range p.Items {
			token = max(token, q.Token)
		}
	}

	store, reopen := open(f.T)
	if f.reopen == nil {
		reopen = nil
	}
	to := &fixture{T: f.T, open: store, reopen: reopen}
	// Order is none: what is given last may have been there first.
	slices.Reverse(pieces)
	to.fill(pieces...)
	to.equal("the dump of the filled store", contentOf(to.dump()), want)
	filled(to, token)
}

// filled expects what lived left, but for the leases.
func filled(f *fixture, token uint64) {
	f.equal("record", f.load("ann"), storage.Record{Version: 2, State: []byte("two"), Alarm: at(31)})
	f.equal("record", f.load("bob\x00"), storage.Record{Version: 2, State: []byte{0}})
	f.noRecord("cid")
	f.resolves("thread", "ann")
	f.resolves("card", "ann")
	f.due(at(31), 10, "ann")
	f.due(at(30), 10)
	f.transcripts("", 10, "case", "empty")
	f.equal("transcript", f.transcript("case"), storage.Transcript{Header: []byte("header"), Entries: [][]byte{[]byte("first"), {}, []byte("third")}})
	for _, c := range []storage.Commit{
		{ID: "ann", Version: 2, Events: []string{"tg:1"}},
		{ID: "ann", Version: 2, Events: []string{"tg:2"}},
		{ID: "cid", Events: []string{"tg:7"}},
		{ID: "dan", Events: []string{"tg:8"}},
		{ID: "\xff\xff", Events: []string{"\xff"}},
	} {
		f.refuse(c, storage.ErrDuplicate)
	}
	f.refuse(storage.Commit{ID: "eve", State: []byte("x"), Names: []string{"card"}}, storage.ErrNameTaken)
	f.refuse(storage.Commit{ID: "ann", Version: 1, State: []byte("x")}, storage.ErrConflict)

	f.waits(officers, 2, time.Time{})
	f.items(f.lease(officers, 10, at(3), at(20)), "b2", "p1")
	f.items(f.lease(keeper, 10, at(3), at(20)), "k1")
	// Leases are not taken along: a1 and c1 can be leased, b1 is deferred still.
	leased := f.lease(caller, 10, at(3), at(20))
	f.items(leased, "a1", "c1")
	for _, l := range leased {
		if l.Tries != 2 || l.Token <= token {
			f.Errorf("%s has %d tries and the token %d, want 2 and more than %d", l.Item, l.Tries, l.Token, token)
		}
	}
	f.equal("body", leased[0].Body, []byte("body of a1"))
	f.waits(caller, 6, at(20))
	// What is new comes behind what is old.
	f.commit(storage.Commit{ID: "new", State: []byte("x"), Items: toCaller("n1")})
	f.commit(storage.Commit{ID: "cid", Items: toCaller("c3"), Ack: &leased[1].Lease})
	f.items(f.lease(caller, 10, at(4), at(20)), "c2", "n1")
	f.items(f.lease(caller, 10, at(40), at(50)), "a1", "b1", "c2", "n1")
	f.commit(storage.Commit{ID: "bob\x00", Version: 2, State: []byte("3"), Transcript: "case", Entries: [][]byte{[]byte("fourth")}})
	f.equal("transcript", f.transcript("case"), storage.Transcript{Header: []byte("header"), Entries: [][]byte{[]byte("first"), {}, []byte("third"), []byte("fourth")}})
	f.sweep(at(2), 10, 2)
	f.sweep(at(9), 10, 4)
}

// fillTwice is about a dump that is not of one instant.
func fillTwice(f *fixture) {
	item := func(id string, lane storage.Lane, age uint64) storage.Queued {
		return storage.Queued{Item: storage.Item{ID: id, Lane: lane}, Age: age}
	}
	f.fill(
		storage.Piece{
			ID: "ann", Version: 3, State: []byte("old"), Names: []string{"one", "two"}, Alarm: at(1),
			Events:      []storage.Handled{{Event: "e1", At: at(1)}, {Event: "e2", At: at(1)}},
			Items:       []storage.Queued{item("a1", caller, 4), item("a2", caller, 9), item("o1", officers, 5)},
			Transcripts: map[string]storage.Transcript{"case": {Header: []byte("old"), Entries: [][]byte{[]byte("1")}}, "other": {}},
		},
		storage.Piece{ID: "bob", Version: 1, State: []byte("bob"), Items: []storage.Queued{item("b1", caller, 6)}},
		storage.Piece{
			ID: "ann", Version: 4, State: []byte("new"), Names: []string{"two"}, Alarm: at(2),
			Events:      []storage.Handled{{Event: "e2", At: at(1)}, {Event: "e3", At: at(2)}},
			Items:       []storage.Queued{item("a2", caller, 9)},
			Transcripts: map[string]storage.Transcript{"case": {Entries: [][]byte{[]byte("2")}}},
		},
		// The name went from one to the other between the two.
		storage.Piece{ID: "cid", Version: 1, State: []byte("cid"), Names: []string{"two"}},
	)
	f.equal("record", f.load("ann"), storage.Record{Version: 4, State: []byte("new"), Alarm: at(2)})
	f.resolves("one", "")
	f.resolves("two", "cid")
	f.due(at(9), 10, "ann")
	f.equal("transcript", f.transcript("case"), storage.Transcript{Entries: [][]byte{[]byte("2")}})
	f.transcripts("", 10, "case", "other")
	f.waits(caller, 2, time.Time{})
	f.waits(officers, 0, time.Time{})
	f.items(f.lease(caller, 10, at(0), at(1)), "b1", "a2")
	f.refuse(storage.Commit{ID: "ann", Version: 4, Events: []string{"e3"}}, storage.ErrDuplicate)
	f.commit(storage.Commit{ID: "ann", Version: 4, Events: []string{"e1"}, At: at(3), State: []byte("next")})
	f.resolves("two", "cid")
	f.sweep(at(9), 10, 3)
}

func fillNotEmpty(f *fixture) {
	for _, c := range []storage.Commit{
		{ID: "ann", State: []byte("x")}, {ID: "ann", Events: []string{"e"}}, {ID: "ann", Items: toCaller("a1")},
	} {
		f.commit(c)
		before := contentOf(f.dump())
		err := f.store().Fill(f.Context(), feed([]storage.Piece{{ID: "bob", Version: 1, State: []byte("x")}}))
		if !errors.Is(err, storage.ErrNotEmpty) {
			f.Errorf("fill: got %v, want %v", err, storage.ErrNotEmpty)
		}
		f.equal("after the refusal", contentOf(f.dump()), before)
		f.noRecord("bob")
		// It was not changed, and so it can be used.
		f.commit(storage.Commit{ID: "eve", State: []byte("x")})
		f.commit(storage.Commit{ID: "eve", Version: 1})
		if c.State != nil {
			f.commit(storage.Commit{ID: "ann", Version: 1})
		}
		f.sweep(at(forever), 10, len(c.Events))
	}
}

// emptiedFilled fills a store of which nothing is left.
func emptiedFilled(f *fixture) {
	f.commit(storage.Commit{ID: "ann", Events: []string{"e"}, At: at(1), State: []byte("x"), Names: []string{"n"}, Alarm: at(1), Items: toCaller("a1"), Transcript: "t", Header: []byte("h")})
	l := f.leaseOne(caller, "a1", at(1), at(2))
	f.commit(storage.Commit{ID: "ann", Version: 1, Ack: &l})
	f.forget("t")
	f.sweep(at(2), 10, 1)
	f.equal("dump", contentOf(f.dump()), contentOf(nil))
	f.fill(storage.Piece{ID: "bob", Version: 7, State: []byte("x")})
	f.equal("record", f.load("bob"), storage.Record{Version: 7, State: []byte("x")})
	f.waits(caller, 0, time.Time{})
}

var errStop = errors.New("storagetest: no more")

func dumpStops(f *fixture) {
	f.lived()
	calls := 0
	err := f.store().Dump(f.Context(), func(storage.Piece) error {
		if calls++; calls == 2 {
			return errStop
		}
		return nil
	})
	if !errors.Is(err, errStop) || calls != 2 {
		f.Errorf("dump: got %v after %d pieces, want %v after 2", err, calls, errStop)
	}
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	if err := f.store().Dump(ctx, func(storage.Piece) error { return nil }); !errors.Is(err, context.Canceled) {
		f.Errorf("dump: got %v, want %v", err, context.Canceled)
	}
	f.commit(storage.Commit{ID: "ann", Version: 2, State: []byte("three")})
}

func fillStops(t *testing.T, open Opener) {
	ok := storage.Piece{ID: "ann", Version: 1, State: []byte("x")}
	item := storage.Queued{Item: storage.Item{ID: "a", Lane: caller}, Age: 1}
	for name, tt := range map[string]struct {
		piece storage.Piece
		err   error
	}{
		"an error of next":             {err: errStop},
		"a conversation too long":      {piece: storage.Piece{ID: strings.Repeat("x", 65), Version: 1}},
		"a record of nobody":           {piece: storage.Piece{Version: 1}},
		"a state without a version":    {piece: storage.Piece{ID: "bob", State: []byte("x")}},
		"an event twice":               {piece: storage.Piece{ID: "bob", Events: []storage.Handled{{Event: "e"}, {Event: "e"}}}},
		"an event without an identity": {piece: storage.Piece{ID: "bob", Events: []storage.Handled{{}}}},
		"an unknown lane":              {piece: storage.Piece{ID: "bob", Items: []storage.Queued{{Item: storage.Item{ID: "i", Lane: 7}, Age: 1}}}},
		"an item without an age":       {piece: storage.Piece{ID: "bob", Items: []storage.Queued{{Item: item.Item}}}},
		"items out of order":           {piece: storage.Piece{ID: "bob", Items: []storage.Queued{item, item}}},
		"a transcript without a name":  {piece: storage.Piece{Transcripts: map[string]storage.Transcript{"": {}}}},
	} {
		store, _ := open(t)
		calls := 0
		err := store.Fill(t.Context(), func() (storage.Piece, error) {
			if calls++; calls == 1 {
				return ok, nil
			}
			return tt.piece, tt.err
		})
		if err == nil || errors.Is(err, storage.ErrNotEmpty) || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s: fill returned %v", name, err)
		}
	}
}

// fillMany is more than any store keeps at once, in no order.
func fillMany(f *fixture) {
	const n = 1500
	next := 0
	err := f.store().Fill(f.Context(), func() (storage.Piece, error) {
		if next == n {
			return storage.Piece{}, io.EOF
		}
		i := next * 7919 % n
		next++
		id := fmt.Sprint("conversation ", i)
		return storage.Piece{
			ID: id, Version: uint64(i + 1), State: []byte(id), Names: []string{"name of " + id}, Alarm: at(i),
			Events: []storage.Handled{{Event: "e", At: at(i)}},
			Items:  []storage.Queued{{Item: storage.Item{ID: "of " + id, Lane: caller}, Age: uint64(1000 + i)}},
		}, nil
	})
	if err != nil {
		f.Fatalf("fill: %v", err)
	}
	f.waits(caller, n, time.Time{})
	f.due(at(2), 10, "conversation 0", "conversation 1", "conversation 2")
	f.items(f.lease(caller, 2, at(0), at(1)), "of conversation 0", "of conversation 1")
	f.resolves("name of conversation 1499", "conversation 1499")
	f.equal("record", f.load("conversation 1499"), storage.Record{Version: 1500, State: []byte("conversation 1499"), Alarm: at(1499)})
	f.sweep(at(n), 2*n, n)
	if got := len(contentOf(f.dump()).Conversations); got != n {
		f.Errorf("the dump has %d conversations, want %d", got, n)
	}
}

// runPortable is the part of Run that is about Dump and Fill.
func runPortable(t *testing.T, open Opener) {
	for _, part := range []struct {
		name string
		spec func(*fixture)
	}{
		{"A dump fills another store with everything", func(f *fixture) { dumpAndFill(f, open) }},
		{"The last piece of a conversation counts", fillTwice},
		{"A store that is not empty is not filled", fillNotEmpty},
		{"A store that is empty again is filled", emptiedFilled},
		{"A dump ends with an error of who takes it", dumpStops},
		{"Many pieces are filled", fillMany},
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
	t.Run("A filling ends with an error of who gives it, or a piece that is none", func(t *testing.T) {
		fillStops(t, open)
	})
	t.Run("A dump goes from here into the model and back", func(t *testing.T) { thereAndBack(t, open) })
}

// thereAndBack finds that every store understands what another gives.
func thereAndBack(t *testing.T, open Opener) {
	store, _ := open(t)
	f := &fixture{T: t, open: store}
	f.lived()
	want := contentOf(f.dump())
	model := &fixture{T: t, open: NewMemory()}
	model.fill(f.dump()...)
	model.equal("the model", contentOf(model.dump()), want)
	store, _ = open(t)
	back := &fixture{T: t, open: store}
	back.fill(model.dump()...)
	back.equal("back", contentOf(back.dump()), want)
	filled(back, 3)
}
