package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"suar/storage"
)

// racingWriters lets many load, step and commit the same conversation. Every
// commit leaves an entry with the version that it believes it makes.
func racingWriters(t *testing.T, s storage.Store) {
	const writers, each = 8, 12
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; i < each; {
				r, err := s.Load(t.Context(), "ann")
				if err != nil && !errors.Is(err, storage.ErrNotFound) {
					t.Errorf("load: %v", err)
					return
				}
				entry := fmt.Appendf(nil, "version %d", r.Version+1)
				err = s.Commit(t.Context(), storage.Commit{
					ID: "ann", Version: r.Version, Events: []string{fmt.Sprintf("%d.%d", w, i)},
					State: entry, Transcript: "case", Entries: [][]byte{entry},
					Items: toCaller(fmt.Sprintf("item %d", r.Version+1)),
				})
				switch {
				case err == nil:
					i++
				case !errors.Is(err, storage.ErrConflict):
					t.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	f := &fixture{T: t, open: s}
	var want [][]byte
	for v := range writers * each {
		want = append(want, fmt.Appendf(nil, "version %d", v+1))
	}
	f.equal("transcript", f.transcript("case"), storage.Transcript{Entries: want})
	f.equal("record", f.load("ann"), storage.Record{Version: writers * each, State: want[len(want)-1]})
	f.waits(caller, writers*each, time.Time{})
}

// race runs n calls at once and returns their errors.
func race(n int, call func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func racingEvents(t *testing.T, s storage.Store) {
	for round := range 10 {
		id := fmt.Sprintf("conversation %d", round)
		var kept int
		for _, err := range race(8, func(int) error {
			return s.Commit(t.Context(), storage.Commit{ID: id, Events: []string{"tg:1"}, State: []byte("x"), Items: toCaller(id)})
		}) {
			switch {
			case err == nil:
				kept++
			case !errors.Is(err, storage.ErrDuplicate):
				t.Errorf("commit: got %v, want %v", err, storage.ErrDuplicate)
			}
		}
		if kept != 1 {
			t.Errorf("%d of the same event were kept, want 1", kept)
		}
	}
}

func racingNames(t *testing.T, s storage.Store) {
	for round := range 10 {
		name := fmt.Sprintf("name %d", round)
		id := func(i int) string { return fmt.Sprintf("conversation %d of %d", i, round) }
		winner := -1
		for i, err := range race(4, func(i int) error {
			return s.Commit(t.Context(), storage.Commit{ID: id(i), State: []byte("x"), Names: []string{name}})
		}) {
			switch {
			case err == nil && winner >= 0:
				t.Errorf("two conversations have the same name")
			case err == nil:
				winner = i
			case !errors.Is(err, storage.ErrNameTaken):
				t.Errorf("commit: got %v, want %v", err, storage.ErrNameTaken)
			}
		}
		if winner < 0 {
			t.Fatal("nobody got the name")
		}
		(&fixture{T: t, open: s}).resolves(name, id(winner))
	}
}

// racingLeases lets workers empty an outbox. Every item is leased once, because
// no lease runs out, and each conversation's in order.
func racingLeases(t *testing.T, s storage.Store) {
	const conversations, items, workers = 10, 5, 6
	for i := range conversations {
		var ids []string
		for j := range items {
			ids = append(ids, fmt.Sprintf("%d.%d", i, j))
		}
		err := s.Commit(t.Context(), storage.Commit{ID: fmt.Sprint(i), Items: toCaller(ids...)})
		if err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	taken := make(map[string][]string)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				leased, err := s.Lease(t.Context(), caller, 2, at(0), at(1))
				if err != nil {
					t.Errorf("lease: %v", err)
					return
				}
				if len(leased) == 0 {
					return
				}
				for _, l := range leased {
					mu.Lock()
					taken[l.Conversation] = append(taken[l.Conversation], l.Item)
					mu.Unlock()
					err := s.Commit(t.Context(), storage.Commit{ID: l.Conversation, Events: []string{"effect:" + l.Item}, Ack: &l.Lease})
					if err != nil {
						t.Errorf("commit: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	f := &fixture{T: t, open: s}
	// A worker ends when the others hold all the heads, so some may be left.
	for left := true; left; {
		leased := f.lease(caller, conversations, at(0), at(1))
		left = len(leased) > 0
		for _, l := range leased {
			taken[l.Conversation] = append(taken[l.Conversation], l.Item)
			f.commit(storage.Commit{ID: l.Conversation, Ack: &l.Lease})
		}
	}
	for i := range conversations {
		var want []string
		for j := range items {
			want = append(want, fmt.Sprintf("%d.%d", i, j))
		}
		f.equal("leased", taken[fmt.Sprint(i)], want)
	}
}

// racingCommitters lets those who commit perform at once what they may, while
// others ask for whatever waits. No lease runs out, so every item is leased
// once, and each conversation's in order.
func racingCommitters(t *testing.T, s storage.Store) {
	const conversations, items, workers = 8, 6, 2
	var mu sync.Mutex
	taken := make(map[string][]string)
	// perform acknowledges the item and what follows it at once.
	perform := func(l storage.Leased) {
		for {
			mu.Lock()
			taken[l.Conversation] = append(taken[l.Conversation], l.Item)
			mu.Unlock()
			next, err := s.CommitAndLease(t.Context(), storage.Commit{
				ID: l.Conversation, Events: []string{"effect:" + l.Item}, At: at(0), Ack: &l.Lease,
			}, at(1), caller)
			if err != nil {
				t.Errorf("commit and lease: %v", err)
				return
			}
			if len(next) == 0 {
				return
			}
			l = next[0]
		}
	}
	var wg sync.WaitGroup
	for i := range conversations {
		wg.Go(func() {
			id := fmt.Sprint(i)
			for j := range items {
				leased, err := s.CommitAndLease(t.Context(), storage.Commit{
					ID: id, At: at(0), Items: toCaller(fmt.Sprintf("%d.%d", i, j)),
				}, at(1), caller)
				if err != nil {
					t.Errorf("commit and lease: %v", err)
					return
				}
				for _, l := range leased {
					perform(l)
				}
			}
		})
	}
	for range workers {
		wg.Go(func() {
			for range items {
				leased, err := s.Lease(t.Context(), caller, 3, at(0), at(1))
				if err != nil {
					t.Errorf("lease: %v", err)
					return
				}
				for _, l := range leased {
					perform(l)
				}
			}
		})
	}
	wg.Wait()
	f := &fixture{T: t, open: s}
	// Every chain was followed to its end by whoever held its head.
	f.waits(caller, 0, time.Time{})
	for i := range conversations {
		var want []string
		for j := range items {
			want = append(want, fmt.Sprintf("%d.%d", i, j))
		}
		f.equal("leased", taken[fmt.Sprint(i)], want)
	}
}
