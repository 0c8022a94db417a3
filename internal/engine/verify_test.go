package engine

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
	"suar/storage/storagetest"
)

// TestMutedStore brings a store with everything on its way into another one, as
// a backup is restored: people are shown nothing of it, officers get all of it,
// and each of their effects says that it may have been performed before, those
// too that were never leased.
func TestMutedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.handle(e, said(1, 1, "help")) // Nobody delivers: open, relay and show wait.
		w.handle(e, said(1, 2, "more"))

		survey := NewSurvey(w.vault)
		var pieces []storage.Piece
		var muted []Muted
		err := w.store.Dump(t.Context(), func(p storage.Piece) error {
			survey.Conversations(p)
			quiet, m, err := survey.Mute(p)
			pieces, muted = append(pieces, quiet), append(muted, m...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pieces {
			survey.Transcripts(p)
		}
		found, err := survey.Findings()
		if err != nil {
			t.Fatal(err)
		}
		want := Findings{Conversations: 1, Open: 1, Waiting: 5, Transcripts: 1, Entries: 2, Tracked: 1}
		if found != want {
			t.Errorf("found %+v, want %+v", found, want)
		}
		if len(muted) != 2 {
			t.Errorf("%d effects were muted, want both shows", len(muted))
		}
		restored := storagetest.NewMemory()
		err = restored.Fill(t.Context(), func() (storage.Piece, error) {
			if len(pieces) == 0 {
				return storage.Piece{}, io.EOF
			}
			p := pieces[0]
			pieces = pieces[1:]
			return p, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		e = w.engineOn(restored)
		for range 2 { // It may be repeated.
			for _, m := range muted {
				if err := e.GiveUp(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
		}
		at := time.Now().Add(-time.Minute).UTC()
		if err := e.SetRestored(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Restored(t.Context()); err != nil || !got.Equal(at) {
			t.Errorf("restored at %v, %v, want %v", got, err, at)
		}
		stop := w.run(e)
		time.Sleep(time.Minute)
		stop()
		got := map[string]int{}
		for _, del := range w.channel.deliveries() {
			got[describe(del.Effect)]++
			if del.Tries < 2 {
				t.Errorf("%s was tried %d times, it says: nobody would look for an earlier one", describe(del.Effect), del.Tries)
			}
		}
		for _, effect := range []string{"open", "relay help", "relay more"} {
			if got[effect] != 1 {
				t.Errorf("the officers got %v", got)
			}
		}
		for _, del := range w.chat.deliveries() {
			if show, ok := del.Effect.(flows.Show); !ok || del.Tries > 1 {
				t.Errorf("the person was shown what waited: %+v", show)
			}
		}
	})
}

// TestSurveyKnowsTheKey tells another key from damage.
func TestSurveyKnowsTheKey(t *testing.T) {
	w := newWorld(t)
	w.handle(w.engine(), said(1, 1, "help"))
	key, err := seal.ParseVaultKey([]byte("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f21"))
	if err != nil {
		t.Fatal(err)
	}
	other, damaged := NewSurvey(seal.NewVault(key)), NewSurvey(w.vault)
	err = w.store.Dump(t.Context(), func(p storage.Piece) error {
		other.Conversations(p)
		if len(p.Items) > 0 {
			p.State = append([]byte(nil), p.State...)
			p.State[len(p.State)-1] ^= 1
			p.Items[0].Body = []byte("x")
		}
		damaged.Conversations(p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Findings(); !errors.Is(err, ErrWrongKey) {
		t.Errorf("with another key: %v", err)
	}
	found, err := damaged.Findings()
	if err != nil || found.DamagedConversations != 1 || found.DamagedEffects != 1 || !found.Damaged() {
		t.Errorf("damaged: %+v, %v", found, err)
	}
}
