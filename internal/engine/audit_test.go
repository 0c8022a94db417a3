package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/storage"
)

func by(name string) flows.Officer { return flows.Officer{ID: "id of " + name, Name: name} }

// trail notes so many entries and returns the world.
func trail(t *testing.T, n int) *world {
	t.Helper()
	w := newWorld(t)
	e := w.engine()
	for i := range n {
		if err := e.Audit(t.Context(), fmt.Sprint(i), flows.Audit{What: "claimed", Code: fmt.Sprintf("CASE-%d", i), By: by("siti")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Audit(t.Context(), "0", flows.Audit{What: "claimed"}); err != nil { // It is noted.
		t.Fatal(err)
	}
	return w
}

func (w *world) trail() Trail {
	w.t.Helper()
	got, err := ReadTrail(w.t.Context(), w.store, w.vault)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func TestTrail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := trail(t, 2)
		at := time.Now().UTC().Truncate(time.Minute)
		e := w.engine() // after a restart
		time.Sleep(90 * time.Second)
		if err := e.Audit(t.Context(), "later", flows.Audit{What: "transfer", Code: "C", By: by("siti"), With: []flows.Officer{by("budi")}}); err != nil {
			t.Fatal(err)
		}
		if err := e.Audit(t.Context(), "refusals", flows.Audit{What: flows.AuditRefused, Count: 7}); err != nil {
			t.Fatal(err)
		}
		got := w.trail()
		want := []AuditEntry{
			{N: 1, At: at, What: "claimed", Case: "CASE-0", By: "siti"},
			{N: 2, At: at, What: "claimed", Case: "CASE-1", By: "siti"},
			{N: 3, At: at.Add(time.Minute), What: "transfer", Case: "C", By: "siti", With: []string{"budi"}},
			{N: 4, At: at.Add(time.Minute), What: "refused", Count: 7},
		}
		if diff := cmp.Diff(want, got.Entries); diff != "" || len(got.Faults) > 0 {
			t.Errorf("faults %q, entries (-want +got):\n%s", got.Faults, diff)
		}
		head, err := e.AuditHead(t.Context())
		if err != nil || head != got.Head || head.N != 4 || got.Check(head.String()) != nil {
			t.Errorf("head %v, %v; of the entries %v", head, err, got.Head)
		}
		// An earlier witness holds still.
		if err := got.Check(got.heads[2].String()); err != nil {
			t.Error(err)
		}
		if none := (AuditHead{}); got.Check(none.String()) != nil {
			t.Error("the empty trail's end does not hold")
		}
		for _, text := range []string{"", "#4", "4·zz", "#4·0a1b2c3d", "#x·0a1b2c3d4e5f6071"} {
			if got.Check(text) == nil {
				t.Errorf("%q is a witness", text)
			}
		}
		if err := got.Check("#2·0a1b2c3d4e5f6071"); err == nil || !strings.Contains(err.Error(), "first 2 entries are not those") {
			t.Errorf("another sum: %v", err)
		}
	})
}

// Whoever changes what is kept without the vault's key is found out, and each place
// is named.
func TestTrailFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(entries [][]byte) [][]byte
		want  []string
	}{
		"tampered": {
			func(e [][]byte) [][]byte { e[2][40] ^= 1; return e },
			[]string{"at place 3 stands what is no entry of this trail, or was changed"},
		},
		"emptied": {
			func(e [][]byte) [][]byte { e[0] = nil; return e },
			[]string{"at place 1 stands what is no entry of this trail, or was changed"},
		},
		"swapped": {
			func(e [][]byte) [][]byte { e[1], e[2] = e[2], e[1]; return e },
			[]string{"entry 2 is missing before entry 3, or stands elsewhere", "entry 2 stands behind a later one"},
		},
		"doubled": {
			func(e [][]byte) [][]byte { return slices.Insert(e, 3, e[2]) },
			[]string{"entry 3 stands there twice"},
		},
		"one put over another": {
			func(e [][]byte) [][]byte { e[3] = e[2]; return e },
			[]string{"entry 3 stands there twice", "entry 4 is missing before entry 5, or stands elsewhere"},
		},
		"taken out": {
			func(e [][]byte) [][]byte { return slices.Delete(e, 1, 3) },
			[]string{"entries 2 to 3 are missing before entry 4, or stands elsewhere"},
		},
		"cut": {
			func(e [][]byte) [][]byte { return e[:3] },
			[]string{"entries 4 to 6 are missing at the end"},
		},
		"all gone": {
			func([][]byte) [][]byte { return nil },
			[]string{"entries 1 to 6 are missing at the end"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := trail(t, 6)
				witness := w.trail().Head.String()
				w.spoilTrail(test.spoil)
				got := w.trail()
				if diff := cmp.Diff(test.want, got.Faults); diff != "" {
					t.Errorf("faults (-want +got):\n%s", diff)
				}
				if name == "cut" && got.Check(witness) == nil {
					t.Error("the witness says that nothing is missing")
				}
				survey := NewSurvey(w.vault)
				var pieces []storage.Piece
				err := w.store.Dump(t.Context(), func(p storage.Piece) error {
					survey.Conversations(p)
					pieces = append(pieces, p)
					return nil
				})
				for _, p := range pieces {
					survey.Transcripts(p)
				}
				if found, findErr := survey.Findings(); err != nil || findErr != nil || found.DamagedTranscripts != 1 {
					t.Errorf("a look at the whole store finds %+v, %v, %v", found, err, findErr)
				}
			})
		})
	}
}

// spoilTrail puts other entries in the place of those that are kept.
func (w *world) spoilTrail(how func([][]byte) [][]byte) {
	w.t.Helper()
	ctx := context.Background()
	kept, err := w.store.Transcript(ctx, auditRecord)
	if err != nil {
		w.t.Fatal(err)
	}
	rec, err := w.store.Load(ctx, auditRecord)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Forget(ctx, auditRecord); err != nil {
		w.t.Fatal(err)
	}
	err = w.store.Commit(ctx, storage.Commit{
		ID: auditRecord, Version: rec.Version, State: rec.State, At: time.Now(),
		Transcript: auditRecord, Header: kept.Header, Entries: how(kept.Entries),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Even who has the vault's key and writes the whole trail anew, with its end, does
// not have the end that was witnessed.
func TestTrailWrittenAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		honest := trail(t, 6).trail().Head.String()
		forged := newWorld(t)
		e := forged.engine()
		for i := range 6 {
			if err := e.Audit(t.Context(), fmt.Sprint(i), flows.Audit{What: "claimed", Code: fmt.Sprintf("CASE-%d", i), By: by("budi")}); err != nil {
				t.Fatal(err)
			}
		}
		got := forged.trail()
		if len(got.Faults) > 0 {
			t.Errorf("faults %q", got.Faults)
		}
		if err := got.Check(honest); err == nil {
			t.Error("the witness holds for a trail that was written anew")
		}
	})
}

// Several processes note at once what a step brought about, some of it twice, as
// after a crash between the delivery and its settling. Each is there once.
func TestTrailOfManyProcesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var all sync.WaitGroup
		const processes, each = 4, 25
		for range processes {
			e := w.engine()
			all.Go(func() {
				for i := range each {
					if err := e.note(t.Context(), fmt.Sprint(i), time.Now(), flows.Audit{What: "closed", Code: fmt.Sprint(i)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		got := w.trail()
		if len(got.Entries) != each || len(got.Faults) > 0 {
			t.Errorf("%d entries, faults %q", len(got.Entries), got.Faults)
		}
		seen := map[string]bool{}
		for _, e := range got.Entries {
			seen[e.Case] = true
		}
		if len(seen) != each {
			t.Errorf("%d of %d are there", len(seen), each)
		}
	})
}

// Two processes note different things at once: whoever meets the other's entry
// appends behind it, and nothing is lost.
func TestTrailOfProcessesThatConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store = &overtakenTrail{Store: w.store}
		first, second := w.engine(), w.engine()
		// Between the reading and the writing of the first comes the second.
		w.store.(*overtakenTrail).meanwhile = func() {
			if err := second.Audit(t.Context(), "second", flows.Audit{What: "closed", Code: "B"}); err != nil {
				t.Error(err)
			}
		}
		if err := first.Audit(t.Context(), "first", flows.Audit{What: "closed", Code: "A"}); err != nil {
			t.Error(err)
		}
		got := w.trail()
		var cases []string
		for _, e := range got.Entries {
			cases = append(cases, e.Case)
		}
		if diff := cmp.Diff([]string{"B", "A"}, cases); diff != "" || len(got.Faults) > 0 {
			t.Errorf("faults %q, cases (-want +got):\n%s", got.Faults, diff)
		}
	})
}

// An overtakenTrail lets something happen once after the trail's record was read.
type overtakenTrail struct {
	storage.Store
	meanwhile func()
}

func (s *overtakenTrail) Load(ctx context.Context, id string) (storage.Record, error) {
	rec, err := s.Store.Load(ctx, id)
	if do := s.meanwhile; id == auditRecord && do != nil {
		s.meanwhile = nil
		do()
	}
	return rec, err
}
