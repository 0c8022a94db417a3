package seal

import (
	"crypto/hmac"
	"fmt"
	"slices"

	"filippo.io/age"
)

// An openRecord is a record taken apart and decrypted, as far as it goes.
type openRecord struct {
	bytes []byte
	framed
	parsed bool // framed holds
	entry  entryJSON
	opens  bool // entry holds, and its number is the record's
}

func openRecords(records [][]byte, key age.Identity) []openRecord {
	out := make([]openRecord, len(records))
	for i, b := range records {
		o := openRecord{bytes: b}
		var err error
		if o.framed, err = parseRecord(b); err == nil {
			o.parsed = true
			o.entry, err = openEntry(o.framed.entry, key)
			o.opens = err == nil && o.entry.N == o.seq && o.seq > 0
		}
		out[i] = o
	}
	return out
}

// A verifier walks the records once, in the order in which they were found.
type verifier struct {
	t      *Transcript
	link   link // after the proven records
	broken bool // the chain proves nothing any more
	join   joiner
}

// fault reports what breaks the chain.
func (v *verifier) fault(position int, kind FaultKind, format string, args ...any) {
	v.t.Faults = append(v.t.Faults, Fault{position, kind, fmt.Sprintf(format, args...)})
	v.broken = true
}

// run compares the numbers with the same numbers in order. They are inside the
// encryption too, and so survive most that can happen to a record; but anybody
// can encrypt to the case key, so they only tell what is wrong where, and the
// tags tell that something is.
func (v *verifier) run(records []openRecord) {
	var order []uint64
	for _, r := range records {
		if r.opens {
			order = append(order, r.seq)
		}
	}
	slices.Sort(order)
	order = slices.Compact(order)

	seen := make(map[uint64]bool, len(records))
	var last, damaged uint64 // the number in order before this one; the damaged records since
	for i, r := range records {
		position := i + 1
		switch {
		case !r.opens:
			damaged++
			if v.prove(r) {
				// Written as it is by who held the key: the chain goes on.
				v.t.Faults = append(v.t.Faults, Fault{position, FaultChanged, "it was written unreadable"})
				continue
			}
			v.fault(position, FaultChanged, "its bytes were changed; it cannot be read")
			continue
		case seen[r.seq]:
			v.fault(position, FaultMoved, "record %d is here again", r.seq)
		default:
			seen[r.seq] = true
			due := order[0]
			order = order[1:]
			gap := due - last - 1
			last = due
			if gap > damaged {
				v.fault(position, FaultMissing, "%s before record %d", missing(gap-damaged), due)
			}
			damaged = 0
			if r.seq != due {
				v.fault(position, FaultMoved, "record %d is here where record %d belongs", r.seq, due)
			}
		}
		proven := v.prove(r)
		if !proven && !v.broken {
			v.fault(position, FaultForged, "its tag does not fit: it was not written by the server at that point, or was changed since")
		}
		v.join.add(r.entry, proven)
	}
	v.t.Entries = v.join.out
}

// prove reports whether the chain goes on with r, and if so follows it.
func (v *verifier) prove(r openRecord) bool {
	if v.broken || !r.parsed || r.seq != uint64(v.t.Proven)+1 {
		return false
	}
	tag := v.link.tag(r.untagged())
	if !hmac.Equal(tag[:], r.tag[:]) {
		return false
	}
	v.link = v.link.next(r.bytes)
	v.t.Proven++
	v.t.heads = append(v.t.heads, v.link.head)
	return true
}

func missing(n uint64) string {
	if n == 1 {
		return "a record is missing"
	}
	return fmt.Sprintf("%d records are missing", n)
}

// A joiner makes whole entries of those that were written in parts.
type joiner struct {
	out  []OpenEntry
	part entryJSON // the latest part of the entry that is not yet whole
}

func (j *joiner) add(e entryJSON, proven bool) {
	if n := len(j.out); j.continues(e) {
		last := &j.out[n-1]
		last.Text += e.Text
		last.Parts++
		last.Proven = last.Proven && proven
		last.Whole = e.Part == e.Parts
		j.part = e
		return
	}
	j.part = e
	j.out = append(j.out, OpenEntry{
		Entry: Entry{At: e.T, From: e.From, Kind: e.Kind, Text: e.Text},
		Seq:   e.N, Parts: 1, Proven: proven,
		Whole: e.Parts <= 1,
	})
}

// continues reports whether e is the part after the latest.
func (j *joiner) continues(e entryJSON) bool {
	p := j.part
	return p.Parts > 1 && p.Part < p.Parts && p.Part > 0 &&
		e.N == p.N+1 && e.Part == p.Part+1 && e.Parts == p.Parts &&
		e.T.Equal(p.T) && e.From == p.From && e.Kind == p.Kind
}
