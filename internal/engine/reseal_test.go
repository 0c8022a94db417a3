package engine

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// keyOf is a vault key of its own.
func keyOf(t *testing.T) seal.VaultKey {
	t.Helper()
	key, err := seal.ParseVaultKey([]byte("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rotate adds an epoch to the key: staged knows it, used seals with it.
func rotate(t *testing.T, key seal.VaultKey) (staged, used seal.VaultKey) {
	t.Helper()
	staged, epoch, err := key.WithEpoch(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if used, err = staged.SealWith(epoch); err != nil {
		t.Fatal(err)
	}
	return staged, used
}

func take(t *testing.T, key seal.VaultKey, vaults ...*seal.Vault) {
	t.Helper()
	for _, v := range vaults {
		if err := v.Take(key); err != nil {
			t.Fatal(err)
		}
	}
}

// epochs counts what a store has sealed, by epoch.
func epochs(t *testing.T, store storage.Store) Epochs {
	t.Helper()
	n := Epochs{}
	if err := store.Dump(t.Context(), func(p storage.Piece) error { n.Count(p); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRotationUnderLoad: two processes take over five keys one after the other
// while people write to both and what comes of it is delivered. Nothing is lost,
// nothing comes twice, and in the end the last key alone opens everything.
func TestRotationUnderLoad(t *testing.T) {
	const people, lines = 6, 40
	w := newWorld(t)
	key := keyOf(t)
	w.vault = seal.NewVault(key)
	here := w.engine()
	w.vault = seal.NewVault(key)
	there := w.engine()
	stop := w.run(here)
	vaults := []*seal.Vault{here.vault, there.vault}

	var wg sync.WaitGroup
	step := make(chan struct{}, people*lines)
	for p := range people {
		wg.Go(func() {
			for n := range lines {
				e := []*Engine{here, there}[(p+n)%2]
				if err := e.Handle(t.Context(), said(p, n, fmt.Sprintf("line %d", n))); err != nil {
					t.Errorf("Handle: %v", err)
				}
				step <- struct{}{}
			}
		})
	}
	for range 5 { // Each after another part of the lines.
		for range people * lines / 6 {
			<-step
		}
		staged, used := rotate(t, key)
		take(t, staged, vaults...)
		take(t, used, vaults...)
		if _, err := here.Reseal(t.Context()); err != nil {
			t.Error(err)
		}
		key = used
	}
	wg.Wait()
	stop()
	stop = w.run(here)
	waitEmpty(t, w, here)
	stop()

	for done := (Resealed{Records: 1}); done.Records > 0; {
		var err error
		if done, err = there.Reseal(t.Context()); err != nil || done.Left > 0 {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	if n := epochs(t, w.store); len(n) != 1 || n[6] != people+keptOwn(t, w.store) {
		t.Errorf("sealed by epoch: %v", n)
	}
	// What the first keys sealed is gone with them, and nothing needs them.
	for _, epoch := range []uint32{1, 2, 3, 4, 5} {
		var err error
		if key, err = key.Without(epoch); err != nil {
			t.Fatal(err)
		}
	}
	w.vault = seal.NewVault(key)
	last := w.engine()
	for p := range people {
		w.handle(last, said(p, lines, fmt.Sprintf("line %d", lines)))
	}
	for name, got := range w.transcripts() {
		var heard []string
		for _, line := range got {
			if len(line) > len("person said ") && line[:len("person said ")] == "person said " {
				heard = append(heard, line[len("person said "):])
			}
		}
		var want []string
		for n := range lines + 1 {
			want = append(want, fmt.Sprintf("line %d", n))
		}
		if !slices.Equal(heard, want) {
			t.Errorf("case %s: %d lines, want %d in order: %q", name[:8], len(heard), len(want), heard)
		}
	}
	if n := len(w.transcripts()); n != people {
		t.Errorf("%d transcripts, want %d", n, people)
	}
}

// keptOwn is how many records are no conversation's.
func keptOwn(t *testing.T, store storage.Store) (n int) {
	t.Helper()
	err := store.Dump(t.Context(), func(p storage.Piece) error {
		if p.Version > 0 && ownBucket(p.ID) != "" {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// waitEmpty waits until everything is delivered.
func waitEmpty(t *testing.T, w *world, e *Engine) {
	t.Helper()
	for t.Context().Err() == nil {
		s, err := e.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for n := range maps.Values(s.Waiting) {
			total += n
		}
		runtime.Gosched()
		if total == 0 {
			return
		}
	}
}

// TestBehindAKey: a process that has not got the new key yet puts nothing aside
// as damaged. It refuses what it cannot open until it has.
func TestBehindAKey(t *testing.T) {
	w := newWorld(t)
	key := keyOf(t)
	w.vault = seal.NewVault(key)
	ahead := w.engine()
	w.vault = seal.NewVault(key)
	behind := w.engine()
	w.handle(behind, said(1, 1, "satu"))
	_, used := rotate(t, key)
	take(t, used, ahead.vault)
	w.handle(ahead, said(1, 2, "dua"))
	if _, err := ahead.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := behind.Handle(t.Context(), said(1, 3, "tiga"))
	if !errors.Is(err, seal.ErrNewerEpoch) || errors.Is(err, ErrStep) || errors.Is(err, ErrWrongKey) {
		t.Errorf("behind: %v", err)
	}
	// The key's own record, too.
	if done, err := ahead.Reseal(t.Context()); err != nil || done != (Resealed{Epoch: 2, Waiting: done.Waiting}) {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := behind.Handle(t.Context(), said(1, 3, "tiga")); !errors.Is(err, seal.ErrNewerEpoch) || errors.Is(err, ErrWrongKey) {
		t.Errorf("behind, with the key's record sealed anew: %v", err)
	}
	w.vault = seal.NewVault(key)
	if _, err := New(t.Context(), w.config(w.store)); !errors.Is(err, seal.ErrNewerEpoch) {
		t.Errorf("a process that begins with the key from before: %v", err)
	}
	take(t, used, behind.vault)
	w.handle(behind, said(1, 3, "tiga"))
	w.mustBeSilent()
}

// TestReseal: records that are no conversation's are sealed anew, too; one that
// does not open is told of, and the earlier key's end with it.
func TestReseal(t *testing.T) {
	w := newWorld(t)
	key := keyOf(t)
	w.vault = seal.NewVault(key)
	e := w.engine()
	w.handle(e, said(1, 1, "satu"))
	if err := e.ServeRoster(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if err := e.KeepMedia(t.Context(), "c", "m", []byte("a picture")); err != nil {
		t.Fatal(err)
	}
	if err := e.Audit(t.Context(), "1", flows.Audit{What: "duty", By: flows.Officer{ID: "u1", Name: "siti"}}); err != nil {
		t.Fatal(err)
	}
	if err := e.ChangeDuty(t.Context(), func([]byte) ([]byte, error) { return []byte("swap"), nil }); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Commit(t.Context(), storage.Commit{ID: "00ff", At: e.now(), State: e.vault.Seal("elsewhere", "x", nil)}); err != nil {
		t.Fatal(err)
	}
	_, used := rotate(t, key)
	take(t, used, e.vault)
	done, err := e.Reseal(t.Context())
	if err != nil || done.Left != 1 || done.Records < 5 || done.Waiting == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if again, err := e.Reseal(t.Context()); err != nil || again.Records != 0 || again.Left != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if err := w.store.Commit(t.Context(), storage.Commit{ID: "00ff", Version: 1, At: e.now()}); err != nil {
		t.Fatal(err)
	}
	if last, err := e.Reseal(t.Context()); err != nil || last.Left != 0 || last.Records != 0 {
		t.Errorf("at last: %+v, %v", last, err)
	}
	if n := epochs(t, w.store); n[1] != done.Waiting { // The trail's entries last.
		t.Errorf("by epoch: %v, %d wait", n, done.Waiting)
	}
	if err := e.ServeRoster(t.Context(), 6); !errors.Is(err, ErrOldRoster) {
		t.Errorf("the roster's version was lost: %v", err)
	}
	if got, err := e.Duty(t.Context()); err != nil || string(got) != "swap" {
		t.Errorf("the duty: %q, %v", got, err)
	}
	if got, err := e.Media(t.Context(), "c", "m"); err != nil || string(got) != "a picture" {
		t.Errorf("the picture: %q, %v", got, err)
	}
	if head, err := e.AuditHead(t.Context()); err != nil || head.N != 1 {
		t.Errorf("the trail: %+v, %v", head, err)
	}
}
