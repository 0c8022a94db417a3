package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/storage"
)

// TestTooMuchForOneCommit has an event of which the flow makes more than a
// commit may hold. It would never be taken, so the edge must not keep it.
func TestTooMuchForOneCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.engine()
	if err := e.Handle(t.Context(), said(1, 1, "burst")); !errors.Is(err, ErrStep) {
		t.Errorf("Handle: %v, want ErrStep", err)
	}
	w.handle(e, said(1, 2, "after"))
	if s, err := e.Status(t.Context()); err != nil || s.Damaged != 1 {
		t.Errorf("%d damages noted, %v, want 1", s.Damaged, err)
	}
}

// TestDamage tells damage of one conversation, which no event overcomes, from
// trouble of the store, which the edges must wait out.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(w *world, s *damagedStore, conversation string)
		one   bool
	}{
		{"its pages", func(_ *world, s *damagedStore, id string) { s.spoil(id) }, true},
		{"its sealed state", func(w *world, _ *damagedStore, id string) {
			rec, err := w.store.Load(w.t.Context(), id)
			if err != nil {
				w.t.Fatal(err)
			}
			state := slices.Clone(rec.State)
			state[len(state)-1] ^= 1
			if err := w.store.Commit(w.t.Context(), storage.Commit{ID: id, Version: rec.Version, At: time.Now(), State: state}); err != nil {
				w.t.Fatal(err)
			}
		}, true},
		{"all pages", func(_ *world, s *damagedStore, _ string) { s.spoil("") }, false},
		{"a page that each commit writes", func(_ *world, s *damagedStore, id string) { s.spoil(id, probe) }, false},
		{"the file", func(_ *world, s *damagedStore, id string) {
			s.spoil(id)
			s.failed = true
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := &damagedStore{Store: w.store}
			e := w.engineOn(s)
			w.handle(e, said(1, 1, "a"))
			tt.spoil(w, s, w.vault.Blind("conversation", "tg:555001"))
			err := e.Handle(t.Context(), said(1, 2, "b"))
			if err == nil || errors.Is(err, ErrStep) != tt.one {
				t.Errorf("Handle: %v; that it is ErrStep is %v, want %v", err, errors.Is(err, ErrStep), tt.one)
			}
			if tt.one {
				w.handle(e, said(2, 1, "sound"))
			}
			w.mustBeSilent()
		})
	}
}

// TestDamagedName has a thread whose name cannot be read.
func TestDamagedName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := &damagedStore{Store: w.store}
	e := w.engineOn(s)
	s.spoil(w.vault.Blind("name", "mm:p1"))
	if err := e.Handle(t.Context(), replied("p1", 1, "x")); !errors.Is(err, ErrStep) {
		t.Errorf("Handle: %v, want ErrStep", err)
	}
}

// TestDamagedOutcome damages what the store keeps of one conversation while its
// card is being placed. The others' effects go on.
func TestDamagedOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &damagedStore{Store: w.store}
		w.channel.answer = func(_ context.Context, del Delivery) error {
			if del.Caller == "chat-555001" {
				s.spoil(del.Conversation)
			}
			return nil
		}
		e := w.engineOn(s)
		w.run(e)
		w.handle(e, said(1, 1, "damaged"))
		synctest.Wait()
		w.handle(e, said(2, 1, "sound"))
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff([]string{"open", "open", "relay sound"}, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
		status, err := e.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if status.Damaged == 0 || status.Waiting[flows.Officers] != 2 {
			t.Errorf("%d damages noted, %d items wait, want some and 2", status.Damaged, status.Waiting[flows.Officers])
		}
		w.mustBeSilent()
	})
}

// A damagedStore has pages that cannot be read.
type damagedStore struct {
	storage.Store
	mu  sync.Mutex
	bad []string
	// failed says that the store as a whole takes no writes any more.
	failed bool
}

// spoil damages what is kept under the names, "" for all.
func (s *damagedStore) spoil(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad = append(s.bad, names...)
}

func (s *damagedStore) damage(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.bad, name) && !slices.Contains(s.bad, "") {
		return nil
	}
	err := fmt.Errorf("%w (page 7)", storage.ErrDamaged)
	if s.failed {
		err = fmt.Errorf("%w: %w", storage.ErrFailed, err)
	}
	return err
}

func (s *damagedStore) Load(ctx context.Context, id string) (storage.Record, error) {
	if err := s.damage(id); err != nil {
		return storage.Record{}, err
	}
	return s.Store.Load(ctx, id)
}

func (s *damagedStore) Resolve(ctx context.Context, name string) (string, error) {
	if err := s.damage(name); err != nil {
		return "", err
	}
	return s.Store.Resolve(ctx, name)
}

func (s *damagedStore) Commit(ctx context.Context, c storage.Commit) error {
	if err := s.damage(c.ID); err != nil {
		return err
	}
	return s.Store.Commit(ctx, c)
}
