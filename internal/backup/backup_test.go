package backup_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/internal/backup"
	"suar/storage"
)

// shelf is a store of pieces, in the order in which they are given.
type shelf struct {
	pieces []storage.Piece
	// dumps counts the calls of Dump; before is called with the count before
	// each.
	dumps  int
	before func(dump int)
}

func (s *shelf) Dump(_ context.Context, yield func(storage.Piece) error) error {
	s.dumps++
	if s.before != nil {
		s.before(s.dumps)
	}
	for _, p := range s.pieces {
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) Fill(_ context.Context, next func() (storage.Piece, error)) error {
	if len(s.pieces) > 0 {
		return storage.ErrNotEmpty
	}
	for {
		p, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.pieces = append(s.pieces, p)
	}
}

func at(hour int) time.Time { return time.Date(2026, 11, 23, hour, 0, 0, 7, time.UTC) }

// queued is an item of the person's lane.
func queued(id string, age uint64) storage.Queued {
	return storage.Queued{Item: storage.Item{ID: id, Lane: storage.LaneCaller, Body: []byte("sealed " + id)}, Age: age}
}

// kept is a store with one of everything.
func kept() []storage.Piece {
	later := queued("c2", 9)
	later.Lane, later.Priority, later.Tries, later.Token, later.Until = storage.LaneOfficers, 7, 3, 12, at(5)
	return []storage.Piece{
		{
			ID: "\xffone", Version: 3, State: []byte("sealed"), Names: []string{"n1", "n2"}, Alarm: at(4),
			Events:      []storage.Handled{{Event: "e1", At: at(1)}, {Event: "e2", At: at(2)}},
			Items:       []storage.Queued{queued("c1", 4), later},
			Transcripts: map[string]storage.Transcript{"t1": {Header: []byte("header"), Entries: [][]byte{[]byte("a"), []byte("b")}}},
		},
		{ID: "two", Items: []storage.Queued{queued("c3", 6)}},
		{Transcripts: map[string]storage.Transcript{"t2": {Entries: [][]byte{[]byte("c")}}, "t3": {Header: []byte{}}}},
	}
}

// save writes a backup and returns its path.
func save(t *testing.T, from backup.Source) (string, backup.Tally) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.backup")
	tally, err := backup.Save(t.Context(), path, at(3), from)
	if err != nil {
		t.Fatal(err)
	}
	return path, tally
}

func TestBackupGivesBackWhatWasKept(t *testing.T) {
	t.Parallel()
	path, tally := save(t, &shelf{pieces: kept()})
	f, err := backup.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := backup.Tally{Records: 1, Waiting: 3, Events: 2, Transcripts: 3, Entries: 3, Digest: tally.Digest}
	if tally != want || f.Tally() != want {
		t.Errorf("it tallies %+v and reads back as %+v, want %+v", tally, f.Tally(), want)
	}
	if !f.Made().Equal(at(3).Truncate(time.Second)) {
		t.Errorf("made %v", f.Made())
	}
	for range 2 { // It can be read again.
		var got []storage.Piece
		err = f.Dump(t.Context(), func(p storage.Piece) error {
			got = append(got, p)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(kept(), got); diff != "" {
			t.Errorf("what was kept and what came back differ:\n%s", diff)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v", info.Mode())
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	path, _ := save(t, &shelf{pieces: kept()})
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Save(t.Context(), path, at(4), &shelf{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second backup in its place: %v", err)
	}
	// Also not one that comes there while this one is written.
	other := filepath.Join(t.TempDir(), "b.backup")
	racing := &shelf{before: func(int) {
		if err := os.WriteFile(other, []byte("another's"), 0o600); err != nil {
			t.Fatal(err)
		}
	}}
	if _, err := backup.Save(t.Context(), other, at(4), racing); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a backup in the place of one that came meanwhile: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, after) {
		t.Error("the first backup changed")
	}
	leftOver(t, filepath.Dir(path), "a.backup")
	leftOver(t, filepath.Dir(other), "b.backup")
}

func TestFailedBackupLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.backup")
	broken := errors.New("broken")
	if _, err := backup.Save(t.Context(), path, at(3), failing{broken}); !errors.Is(err, broken) {
		t.Errorf("Save: %v", err)
	}
	leftOver(t, filepath.Dir(path))
}

// failing gives a piece and fails then.
type failing struct{ err error }

func (f failing) Dump(_ context.Context, yield func(storage.Piece) error) error {
	return errors.Join(yield(kept()[0]), f.err)
}

// leftOver wants nothing but the names in a folder.
func leftOver(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, names) {
		t.Errorf("in the folder is %q, want %q", got, names)
	}
}

// TestEveryByteCounts cuts a backup at every place, flips every byte and puts
// something behind it: each is refused.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	path, _ := save(t, &shelf{pieces: kept()})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open := func(b []byte) error {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := backup.Open(t.Context(), path)
		if err == nil {
			_ = f.Close()
		}
		return err
	}
	const head = len("suar backup\n")
	for i := range whole {
		want := backup.ErrCut
		if i < head {
			want = backup.ErrNotBackup
		}
		if err := open(whole[:i]); !errors.Is(err, want) {
			t.Errorf("cut after %d bytes of %d: %v, want %v", i, len(whole), err, want)
		}
		flipped := slices.Clone(whole)
		flipped[i] ^= 0x81
		err := open(flipped)
		switch {
		case i < head && !errors.Is(err, backup.ErrNotBackup):
			t.Errorf("byte %d flipped: %v", i, err)
		case i >= head && i < head+4 && !errors.Is(err, backup.ErrNewer):
			t.Errorf("byte %d, of the version, flipped: %v", i, err)
		case i >= head+4 && !errors.Is(err, backup.ErrAltered) && !errors.Is(err, backup.ErrCut):
			t.Errorf("byte %d flipped: %v", i, err)
		}
	}
	if err := open(append(slices.Clone(whole), 0)); !errors.Is(err, backup.ErrAltered) {
		t.Errorf("a byte more: %v", err)
	}
	if err := open(nil); !errors.Is(err, backup.ErrNotBackup) {
		t.Errorf("an empty file: %v", err)
	}
	if err := open(whole); err != nil {
		t.Errorf("the file as it was: %v", err)
	}
}

// TestTally is what makes two stores the same and what does not.
func TestTally(t *testing.T) {
	t.Parallel()
	of := func(change func(p []storage.Piece) []storage.Piece) backup.Tally {
		tally, err := backup.Count(t.Context(), &shelf{pieces: change(kept())})
		if err != nil {
			t.Fatal(err)
		}
		return tally
	}
	one := of(func(p []storage.Piece) []storage.Piece { return p })
	for name, change := range map[string]func(p []storage.Piece) []storage.Piece{
		"another order": func(p []storage.Piece) []storage.Piece { slices.Reverse(p); return p },
		"events and names in another order": func(p []storage.Piece) []storage.Piece {
			slices.Reverse(p[0].Events)
			slices.Reverse(p[0].Names)
			return p
		},
		"lanes in another order": func(p []storage.Piece) []storage.Piece { slices.Reverse(p[0].Items); return p },
		"other ages, the same order": func(p []storage.Piece) []storage.Piece {
			p[0].Items[0].Age, p[1].Items[0].Age, p[0].Items[1].Age = 1, 2, 3
			return p
		},
		"transcripts apart": func(p []storage.Piece) []storage.Piece {
			own := storage.Piece{Transcripts: p[0].Transcripts}
			p[0].Transcripts = nil
			return append(p, own)
		},
		"an older version first": func(p []storage.Piece) []storage.Piece {
			return append([]storage.Piece{{ID: "\xffone", Version: 2, State: []byte("old"), Items: []storage.Queued{queued("c0", 1)}}}, p...)
		},
		"nothing more": func(p []storage.Piece) []storage.Piece { return append(p, storage.Piece{ID: "three"}) },
	} {
		if got := of(change); got != one {
			t.Errorf("%s: %+v, want %+v", name, got, one)
		}
	}
	for name, change := range map[string]func(p []storage.Piece) []storage.Piece{
		"an event less":            func(p []storage.Piece) []storage.Piece { p[0].Events = p[0].Events[1:]; return p },
		"an event at another time": func(p []storage.Piece) []storage.Piece { p[0].Events[0].At = at(9); return p },
		"another alarm":            func(p []storage.Piece) []storage.Piece { p[0].Alarm = time.Time{}; return p },
		"another version":          func(p []storage.Piece) []storage.Piece { p[0].Version++; return p },
		"another token":            func(p []storage.Piece) []storage.Piece { p[0].Items[1].Token++; return p },
		"another lane":             func(p []storage.Piece) []storage.Piece { p[0].Items[1].Lane = storage.LaneCaller; return p },
		"older than another": func(p []storage.Piece) []storage.Piece {
			p[0].Items[0].Age, p[1].Items[0].Age = p[1].Items[0].Age, p[0].Items[0].Age
			return p
		},
		"no header where an empty one was": func(p []storage.Piece) []storage.Piece {
			m := maps.Clone(p[2].Transcripts)
			m["t3"] = storage.Transcript{}
			p[2].Transcripts = m
			return p
		},
		"entries in another order": func(p []storage.Piece) []storage.Piece {
			slices.Reverse(p[0].Transcripts["t1"].Entries)
			return p
		},
		"a transcript less": func(p []storage.Piece) []storage.Piece { return p[:2] },
	} {
		if got := of(change); got.Digest == one.Digest {
			t.Errorf("%s: the same digest", name)
		}
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	from, to := &shelf{pieces: kept()}, &shelf{}
	got, err := backup.Copy(t.Context(), to, from)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := backup.Count(t.Context(), from); got != want || got.Records != 1 {
		t.Errorf("copied %+v of %+v", got, want)
	}
	if diff := cmp.Diff(kept(), to.pieces); diff != "" {
		t.Errorf("the copy differs:\n%s", diff)
	}
	if _, err := backup.Copy(t.Context(), to, from); !errors.Is(err, storage.ErrNotEmpty) {
		t.Errorf("onto a store that is not empty: %v", err)
	}
}

func TestCopyNotices(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from, to *shelf
		want     error
	}{
		"a source in use": {
			from: func() *shelf {
				s := &shelf{pieces: kept()}
				s.before = func(dump int) {
					if dump > 1 {
						s.pieces[1].Items = nil // It was delivered meanwhile.
					}
				}
				return s
			}(),
			to: &shelf{}, want: backup.ErrChanged,
		},
		"a target that loses something": {
			from: &shelf{pieces: kept()},
			to: func() *shelf {
				s := &shelf{}
				s.before = func(int) { s.pieces = s.pieces[1:] }
				return s
			}(),
			want: backup.ErrDiffers,
		},
	} {
		if _, err := backup.Copy(t.Context(), tt.to, tt.from); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	broken := errors.New("broken")
	if _, err := backup.Copy(t.Context(), &shelf{}, failing{broken}); !errors.Is(err, broken) {
		t.Errorf("a source that fails: %v", err)
	}
}

// TestPrune leaves what may be kept, and what is none of ours.
func TestPrune(t *testing.T) {
	t.Parallel()
	now := at(12)
	day := func(n int) string { return backup.Name(now.AddDate(0, 0, -n)) }
	others := []string{"notes.txt", "suar-yesterday.backup", "suar.db", backup.Name(now.AddDate(0, 0, -30)) + ".gpg"}
	for _, tt := range []struct {
		name        string
		keep        int
		there, want []string
		err         error
	}{
		{"more than are kept", 2, []string{day(0), day(1), day(2), day(3)}, []string{day(0), day(1)}, nil},
		{"too old, however few", 14, []string{day(1), day(15), day(16)}, []string{day(1)}, nil},
		{"the clock is weeks ahead", 14, []string{day(30), day(31), day(32)}, []string{day(30), day(31), day(32)}, backup.ErrStale},
		{"the clock was weeks ahead", 14, []string{day(-30), day(3), day(15)}, []string{day(-30), day(3), day(15)}, backup.ErrStale},
		{"none for days, and too many", 1, []string{day(3), day(15)}, []string{day(3)}, nil},
		{"a draft of today", 1, []string{day(0) + ".draft-1"}, []string{day(0) + ".draft-1"}, nil},
		{"a draft of a crash", 1, []string{day(2) + ".draft-1", day(0)}, []string{day(0)}, nil},
		{"a day's hours", 1, []string{backup.Name(now.Add(-time.Hour)), backup.Name(now)}, []string{backup.Name(now)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			for _, name := range slices.Concat(tt.there, others) {
				if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			erased, err := backup.Prune(folder, tt.keep, now)
			if !errors.Is(err, tt.err) {
				t.Fatalf("the error is %v, want %v", err, tt.err)
			}
			if erased != len(tt.there)-len(tt.want) {
				t.Errorf("it says that it erased %d", erased)
			}
			leftOver(t, folder, slices.Sorted(slices.Values(slices.Concat(tt.want, others)))...)
		})
	}
}
