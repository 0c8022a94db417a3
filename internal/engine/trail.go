package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"suar/internal/seal"
	"suar/storage"
)

// An AuditEntry is one line of the trail.
type AuditEntry struct {
	// N counts from 1.
	N uint64 `json:"n"`
	// At is when, to the minute, UTC.
	At time.Time `json:"at"`
	// What is a fixed word, Case the code of a case, "" if it is of none.
	What string `json:"what"`
	Case string `json:"case,omitempty"`
	// By and With are user names.
	By   string   `json:"by,omitempty"`
	With []string `json:"with,omitempty"`
	// Count is how often, 0 for once.
	Count int `json:"count,omitempty"`
}

// An AuditHead is the end of a trail: how many entries it has and the hash of the
// last, which depends on all before. The zero one is an empty trail's.
type AuditHead struct {
	N   uint64            `json:"n"`
	Sum [sha256.Size]byte `json:"sum"`
}

// String is the head as a witness keeps it: "#12·0a1b2c3d4e5f6071".
func (h AuditHead) String() string {
	return fmt.Sprintf("#%d·%s", h.N, hex.EncodeToString(h.Sum[:8]))
}

// A link is an entry in the chain, as it is sealed. Entry is kept as it was hashed.
type link struct {
	Prev  []byte          `json:"prev"`
	Entry json.RawMessage `json:"entry"`
}

// next is the head after an entry: SHA-256 of the purpose, the head before and the
// entry as it is written.
func (h AuditHead) next(entry []byte) AuditHead {
	sum := sha256.New()
	sum.Write([]byte(auditHeader))
	sum.Write(h.Sum[:])
	sum.Write(entry)
	return AuditHead{N: h.N + 1, Sum: [sha256.Size]byte(sum.Sum(nil))}
}

// follow returns an entry as a link behind the head, and the head after it.
func (h AuditHead) follow(e AuditEntry) ([]byte, AuditHead, error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, h, err
	}
	text, err := json.Marshal(link{Prev: h.Sum[:], Entry: raw})
	return text, h.next(raw), err
}

// A Trail is what the store keeps of the trail, and what is wrong with it.
type Trail struct {
	Entries []AuditEntry
	// Head is that of the last entry that can be read.
	Head AuditHead
	// Faults name each place where something was changed, moved, doubled or taken
	// out; empty if the chain is whole. What was cut off at the end together with the
	// record of the end only a witness shows: see [Trail.Check].
	Faults []string

	heads map[uint64]AuditHead
}

// A TrailSource is what a trail is read from: a [storage.Store], or a backup.
type TrailSource interface {
	Load(ctx context.Context, id string) (storage.Record, error)
	Transcript(ctx context.Context, name string) (storage.Transcript, error)
}

// ReadTrail reads the trail of a store. It returns an error only if the store cannot
// be read, or was written with another key.
func ReadTrail(ctx context.Context, store TrailSource, v *seal.Vault) (Trail, error) {
	if err := CheckKey(ctx, store, v); err != nil {
		return Trail{}, err
	}
	kept, err := store.Transcript(ctx, auditRecord)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return Trail{}, err
	}
	t := openTrail(v, kept.Entries)
	end, version, err := loadAuditHead(ctx, store, v)
	switch {
	case errors.Is(err, errDamaged):
		t.fault("the record of the trail's end was changed")
	case err != nil:
		return Trail{}, err
	case version == 0 && len(kept.Entries) > 0:
		t.fault("the record of the trail's end is missing")
	default:
		t.ends(end)
	}
	return t, nil
}

// openTrail opens the entries in the order in which they are kept.
func openTrail(v *seal.Vault, sealed [][]byte) Trail {
	t := Trail{heads: map[uint64]AuditHead{0: {}}}
	want := uint64(1)
	for i, raw := range sealed {
		var l link
		var e AuditEntry
		plain, err := v.Open("audit", auditRecord, raw)
		if err != nil || json.Unmarshal(plain, &l) != nil || json.Unmarshal(l.Entry, &e) != nil || len(l.Prev) != sha256.Size || e.N == 0 {
			t.fault("at place %d stands what is no entry of this trail, or was changed", i+1)
			want++
			continue
		}
		if _, twice := t.heads[e.N]; twice {
			t.fault("entry %d stands there twice", e.N)
			continue
		}
		switch before, known := t.heads[e.N-1]; {
		case e.N > want:
			t.fault("%s missing before entry %d, or stands elsewhere", missing(want, e.N-1), e.N)
		case e.N < want:
			t.fault("entry %d stands behind a later one", e.N)
		case known && !bytes.Equal(l.Prev, before.Sum[:]):
			t.fault("entry %d does not follow from the one before: one of the two was replaced", e.N)
		}
		// From here on the chain is followed from what the entry says was before.
		head := AuditHead{N: e.N - 1, Sum: [sha256.Size]byte(l.Prev)}.next(l.Entry)
		t.heads[e.N] = head
		if head.N > t.Head.N {
			t.Head = head
		}
		t.Entries = append(t.Entries, e)
		want = max(want, e.N+1)
	}
	return t
}

// ends compares with the end that the store remembers.
func (t *Trail) ends(end AuditHead) {
	last := t.Head.N
	switch {
	case end.N > last:
		t.fault("%s missing at the end", missing(last+1, end.N))
	case end.N < last:
		t.fault("%d entries stand behind the end that is remembered", last-end.N)
	case t.Head != end:
		t.fault("the last entry is not the one that is remembered")
	}
}

func missing(from, to uint64) string {
	if from == to {
		return fmt.Sprintf("entry %d is", from)
	}
	return fmt.Sprintf("entries %d to %d are", from, to)
}

func (t *Trail) fault(format string, args ...any) {
	t.Faults = append(t.Faults, fmt.Sprintf(format, args...))
}

// errWitness says that a text is no witness.
var errWitness = errors.New("engine: want a trail's end as the officers' channel shows it, such as #12·0a1b2c3d4e5f6071")

// Check compares the trail with an end that somebody noted elsewhere, as
// [AuditHead.String] writes it, and returns what is wrong: entries that were cut off
// since, or others in their place.
func (t *Trail) Check(witness string) error {
	count, sum, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(witness), "#"), "·")
	n, err := strconv.ParseUint(count, 10, 64)
	if raw, hexErr := hex.DecodeString(sum); !ok || err != nil || hexErr != nil || len(raw) != 8 {
		return errWitness
	}
	head, there := t.heads[n]
	switch {
	case n == 0:
		return nil
	case !there && n > t.Head.N:
		return fmt.Errorf("engine: the trail had %d entries when it was witnessed and has %d now: the last were cut off", n, t.Head.N)
	case !there:
		return fmt.Errorf("engine: entry %d, which was witnessed, cannot be read", n)
	case hex.EncodeToString(head.Sum[:8]) != strings.ToLower(sum):
		return fmt.Errorf("engine: the first %d entries are not those that were witnessed", n)
	}
	return nil
}
