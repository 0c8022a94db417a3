package backup

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"suar/storage"
)

// A Tally is what a store keeps, counted. Two stores keep the same if, and only
// if, their tallies are equal.
type Tally struct {
	// Records are the conversations that have a state, the vault's own record
	// among them; Waiting the effects in the outbox; Events the identities of
	// events that are remembered; Entries those of all Transcripts.
	Records, Waiting, Events, Transcripts, Entries int
	// Digest is over all of it, whatever the order in which it was given: of
	// every conversation, of every transcript, and of the order of the effects
	// that wait, in which only who is older than whom counts.
	Digest [sha256.Size]byte
}

// A counter tallies pieces.
type counter struct {
	// parts are by a hash of what they are: of a part that comes twice the
	// later counts. 48 bytes each, so that a million take about 100 MB.
	parts map[[16]byte]part
	// waiting are the effects by their conversations.
	waiting map[string][]waiting
}

// A part is a conversation or a transcript.
type part struct {
	sum                      [16]byte
	record                   bool
	transcript               bool
	waiting, events, entries int32
}

type waiting struct {
	age uint64
	id  string
}

func newCounter() *counter {
	return &counter{parts: map[[16]byte]part{}, waiting: map[string][]waiting{}}
}

// add counts a piece, which is not changed.
func (c *counter) add(p storage.Piece) {
	if p.ID != "" {
		c.conversation(p)
	}
	for name, t := range p.Transcripts {
		c.put("t", name, part{
			sum: half(appendTranscript(nil, name, t)), transcript: t.Header != nil || len(t.Entries) > 0, entries: int32(len(t.Entries)),
		})
	}
}

func (c *counter) conversation(p storage.Piece) {
	delete(c.waiting, p.ID)
	for _, it := range p.Items {
		c.waiting[p.ID] = append(c.waiting[p.ID], waiting{it.Age, it.ID})
	}
	// In an order of its own, and without what a store may number anew.
	p.Names = slices.Sorted(slices.Values(p.Names))
	p.Events = slices.SortedFunc(slices.Values(p.Events), func(a, b storage.Handled) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Event, b.Event))
	})
	p.Items = slices.Clone(p.Items)
	slices.SortStableFunc(p.Items, func(a, b storage.Queued) int { return cmp.Compare(a.Lane, b.Lane) })
	for i := range p.Items {
		p.Items[i].Age = 0
	}
	c.put("c", p.ID, part{
		sum: half(appendConversation(nil, p)), record: p.Version > 0, waiting: int32(len(p.Items)), events: int32(len(p.Events)),
	})
}

// put keeps a part. One that holds nothing is as good as one that is not there.
func (c *counter) put(kind, name string, p part) {
	key := half([]byte(kind + name))
	if p.record || p.transcript || p.waiting > 0 || p.events > 0 {
		c.parts[key] = p
	} else {
		delete(c.parts, key)
	}
}

func (c *counter) tally() Tally {
	var t Tally
	all := sha256.New()
	for _, key := range slices.SortedFunc(maps.Keys(c.parts), func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }) {
		p := c.parts[key]
		all.Write(key[:])
		all.Write(p.sum[:])
		if p.record {
			t.Records++
		}
		if p.transcript {
			t.Transcripts++
		}
		t.Waiting += int(p.waiting)
		t.Events += int(p.events)
		t.Entries += int(p.entries)
	}
	order := slices.SortedFunc(func(yield func(waiting) bool) {
		for _, list := range c.waiting {
			for _, w := range list {
				if !yield(w) {
					return
				}
			}
		}
	}, func(a, b waiting) int { return cmp.Or(cmp.Compare(a.age, b.age), cmp.Compare(a.id, b.id)) })
	all.Write(binary.BigEndian.AppendUint64(nil, uint64(len(order))))
	for _, w := range order {
		all.Write(appendText(nil, w.id))
	}
	all.Sum(t.Digest[:0])
	return t
}

// half is the first half of a SHA-256.
func half(b []byte) (h [16]byte) {
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}
