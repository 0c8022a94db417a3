package engine

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

// mediaFlow is testFlow in which a word asks for an effect about the medium m.
type mediaFlow struct{ testFlow }

func (f mediaFlow) Step(s flows.State, m flows.Moment, ev flows.Event) (flows.State, []flows.Effect) {
	switch ev := ev.(type) {
	case flows.Said:
		if ev.Text == "drop" {
			return s, []flows.Effect{flows.Drop{Media: "m"}}
		}
	case flows.Delivered:
		if _, ok := ev.Effect.(flows.Drop); ok {
			return s, []flows.Effect{flows.Relay{Text: "dropped"}}
		}
	}
	return f.testFlow.Step(s, m, ev)
}

func newMediaWorld(t *testing.T) (*world, *Engine, string) {
	w := newWorld(t)
	w.flow = mediaFlow{}
	e := w.engine()
	return w, e, e.vault.Blind("conversation", said(1, 0, "").Name)
}

// TestMediaAreSealed: what is kept comes back under its name and no other, and
// no byte of it lies in the store.
func TestMediaAreSealed(t *testing.T) {
	t.Parallel()
	w, _, conversation := newMediaWorld(t)
	store := &witnessed{Store: w.store}
	e := w.engineOn(store)
	content := []byte("\xff\xd8\xff" + strings.Repeat("canary of a picture ", 100_000))
	for _, c := range [][]byte{[]byte("an earlier try"), content} { // A delivery may be repeated.
		if err := e.KeepMedia(t.Context(), conversation, "m", c); err != nil {
			t.Fatal(err)
		}
	}
	got, err := e.Media(t.Context(), conversation, "m")
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(content))
	}
	for _, other := range []struct {
		conversation string
		id           flows.MediaID
	}{{conversation, "n"}, {"another", "m"}, {conversation + ":m", ""}} {
		if _, err := e.Media(t.Context(), other.conversation, other.id); !errors.Is(err, ErrNoMedia) {
			t.Errorf("under another name: %v; want ErrNoMedia", err)
		}
	}
	for _, word := range []string{"canary of a", conversation} {
		for _, spelling := range spellings(word) {
			if bytes.Contains(store.bytes, spelling) {
				t.Errorf("%q lies in the store", word)
			}
		}
	}
	w.mustBeSilent()
}

// TestMediaMovedInTheStore: content put in another's place does not open.
func TestMediaMovedInTheStore(t *testing.T) {
	t.Parallel()
	w, e, conversation := newMediaWorld(t)
	if err := e.KeepMedia(t.Context(), conversation, "m", []byte("x")); err != nil {
		t.Fatal(err)
	}
	rec, err := w.store.Load(t.Context(), e.mediaRecord(conversation, "m"))
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.Commit(t.Context(), storage.Commit{ID: e.mediaRecord(conversation, "n"), At: time.Now(), State: rec.State})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Media(t.Context(), conversation, "n"); !errors.Is(err, ErrStep) {
		t.Errorf("%v; want a record that cannot be read", err)
	}
}

// TestDropErases: a Drop erases what is kept and is done also where nothing is;
// it waits for neither server.
func TestDropErases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, e, conversation := newMediaWorld(t)
		if err := e.KeepMedia(t.Context(), conversation, "m", []byte("x")); err != nil {
			t.Fatal(err)
		}
		w.run(e)
		w.handle(e, said(1, 1, "open"))
		synctest.Wait()
		for n := range 2 {
			w.handle(e, said(1, 2+n, "drop"))
			synctest.Wait()
		}
		if _, err := e.Media(t.Context(), conversation, "m"); !errors.Is(err, ErrNoMedia) {
			t.Errorf("after the drop: %v; want ErrNoMedia", err)
		}
		if diff := cmp.Diff([]string{": open", ": dropped", ": dropped"}, w.relayed()); diff != "" {
			t.Errorf("the conversation learnt (-want +got):\n%s", diff)
		}
		w.mustBeEmpty(e)
		w.mustBeSilent()
	})
}

// TestMediaEndByThemselves: what nobody dropped, because a backup knows it and
// no state does, is erased after eight days, and not before.
func TestMediaEndByThemselves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.limits.Poll = time.Hour // It is a long time.
		e := w.engine()
		const conversation = "somebody"
		if err := e.KeepMedia(t.Context(), conversation, "m", []byte("x")); err != nil {
			t.Fatal(err)
		}
		w.run(e)
		time.Sleep(mediaLife - 2*time.Hour)
		synctest.Wait()
		if _, err := e.Media(t.Context(), conversation, "m"); err != nil {
			t.Fatalf("two hours before: %v", err)
		}
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		if _, err := e.Media(t.Context(), conversation, "m"); !errors.Is(err, ErrNoMedia) {
			t.Errorf("two hours after: %v; want ErrNoMedia", err)
		}
		w.mustBeSilent()
	})
}

// TestSurveyOfMedia: a backup with media in it is sound, and one whose media do
// not open is not.
func TestSurveyOfMedia(t *testing.T) {
	t.Parallel()
	w, e, conversation := newMediaWorld(t)
	for _, id := range []flows.MediaID{"m", "erased"} {
		if err := e.KeepMedia(t.Context(), conversation, id, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.eraseMedia(t.Context(), e.mediaRecord(conversation, "erased")); err != nil {
		t.Fatal(err)
	}
	look := func() Findings {
		t.Helper()
		survey := NewSurvey(w.vault)
		err := w.store.Dump(t.Context(), func(p storage.Piece) error {
			survey.Conversations(p)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		found, err := survey.Findings()
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := look(); found != (Findings{}) {
		t.Errorf("found %+v, want nothing: media are no conversations", found)
	}
	err := w.store.Commit(t.Context(), storage.Commit{ID: e.mediaRecord(conversation, "m"), Version: 1, At: time.Now(), State: []byte("damaged")})
	if err != nil {
		t.Fatal(err)
	}
	if found := look(); !found.Damaged() {
		t.Error("a medium that does not open was not found")
	}
}

// TestMediaInAnOutage: whatever becomes of a call, repeating it keeps the
// content, and an outage is never taken for content that is not kept.
func TestMediaInAnOutage(t *testing.T) {
	t.Parallel()
	for _, fault := range []storagetest.Fault{storagetest.Refused, storagetest.Lost} {
		for _, method := range []string{"Load", "Commit"} {
			w, _, conversation := newMediaWorld(t)
			broken := false
			e := w.engineOn(storagetest.NewFlaky(w.store, func(c storagetest.Call) storagetest.Fault {
				if broken && c.Method == method {
					return fault
				}
				return storagetest.None
			}))
			broken = true
			if err := e.KeepMedia(t.Context(), conversation, "m", []byte("x")); err == nil || errors.Is(err, ErrNoMedia) {
				t.Errorf("%s: %v; want an error to try again on", method, err)
			}
			if _, err := e.Media(t.Context(), conversation, "m"); method == "Load" && (err == nil || errors.Is(err, ErrNoMedia)) {
				t.Errorf("%s: %v; want an error that does not say that nothing is kept", method, err)
			}
			broken = false
			if err := e.KeepMedia(t.Context(), conversation, "m", []byte("y")); err != nil {
				t.Fatal(err)
			}
			if got, err := e.Media(t.Context(), conversation, "m"); err != nil || string(got) != "y" {
				t.Errorf("%s: %q, %v", method, got, err)
			}
		}
	}
}
