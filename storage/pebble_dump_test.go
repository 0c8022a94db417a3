package storage_test

import (
	"errors"
	"io"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
)

// TestDumpIsOneInstant dumps while others write: in no dump are a record, its
// event and its transcript of two instants, and nobody waits for the dump.
func TestDumpIsOneInstant(t *testing.T) {
	s := openEmbedded(t, filepath.Join(t.TempDir(), "store"))
	for _, id := range []string{"a", "b", "c"} {
		if err := s.Commit(t.Context(), crashCommit(id, 0)); err != nil {
			t.Fatal(err)
		}
	}
	var pieces []storage.Piece
	version := uint64(1)
	err := s.Dump(t.Context(), func(p storage.Piece) error {
		pieces = append(pieces, p)
		// A dump that held up writers would end here.
		for _, id := range []string{"a", "b", "c"} {
			if err := s.Commit(t.Context(), crashCommit(id, version)); err != nil {
				return err
			}
		}
		version++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	conversations, transcripts := 0, 0
	for _, p := range pieces {
		if p.ID != "" {
			conversations++
			if p.Version != 1 || len(p.Events) != 1 {
				t.Errorf("a record has the version %d and %d events, want 1 and 1", p.Version, len(p.Events))
			}
		}
		for _, transcript := range p.Transcripts {
			transcripts++
			if len(transcript.Entries) != 1 {
				t.Errorf("a transcript has %d entries, want 1", len(transcript.Entries))
			}
		}
	}
	if conversations != 3 || transcripts != 3 {
		t.Errorf("the dump has %d conversations and %d transcripts, want 3 and 3", conversations, transcripts)
	}
}

// TestCompactWaitsForDump lets others go on while a compaction waits for a dump.
func TestCompactWaitsForDump(t *testing.T) {
	s := openEmbedded(t, filepath.Join(t.TempDir(), "store"))
	if err := s.Commit(t.Context(), crashCommit("a", 0)); err != nil {
		t.Fatal(err)
	}
	var compacting sync.WaitGroup
	err := s.Dump(t.Context(), func(p storage.Piece) error {
		if p.ID == "" {
			return nil
		}
		compacting.Go(func() {
			if err := s.Compact(t.Context()); err != nil {
				t.Errorf("compact: %v", err)
			}
		})
		for v := range uint64(200) {
			if err := s.Commit(t.Context(), crashCommit("a", v+1)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	compacting.Wait()
	if r, err := s.Load(t.Context(), "a"); err != nil || r.Version != 201 {
		t.Errorf("load: version %d, %v, want 201", r.Version, err)
	}
}

func TestDumpPanic(t *testing.T) {
	s := openEmbedded(t, filepath.Join(t.TempDir(), "store"))
	if err := s.Commit(t.Context(), crashCommit("a", 0)); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if p := recover(); p != "mine" {
				t.Errorf("recovered %v, want what yield panicked with", p)
			}
		}()
		_ = s.Dump(t.Context(), func(storage.Piece) error { panic("mine") })
	}()
	if err := s.Compact(t.Context()); err != nil {
		t.Errorf("compact: %v", err)
	}
}

// TestHalfFilled finds that a store is not taken for whole whose filling ended
// early, and that one is that came to its end.
func TestHalfFilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openEmbedded(t, path)
	n := 0
	broken := errors.New("broken")
	err := s.Fill(t.Context(), func() (storage.Piece, error) {
		if n++; n > 1000 {
			return storage.Piece{}, broken
		}
		return storage.Piece{Transcripts: map[string]storage.Transcript{string(rune('0' + n)): {}}}, nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("fill: got %v, want %v", err, broken)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := folderOf(t, path)
	for name, open := range map[string]func(string) (*storage.Embedded, error){"open": storage.OpenEmbedded, "read": storage.ReadEmbedded} {
		if _, err := open(path); !errors.Is(err, storage.ErrFormat) {
			t.Errorf("%s: got %v, want %v", name, err, storage.ErrFormat)
		}
	}
	if d := cmp.Diff(before, folderOf(t, path)); d != "" {
		t.Errorf("the store has changed:\n%s", d)
	}

	whole := filepath.Join(t.TempDir(), "whole")
	s = openEmbedded(t, whole)
	if err := s.Fill(t.Context(), func() (storage.Piece, error) { return storage.Piece{}, io.EOF }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openEmbedded(t, whole)
}
