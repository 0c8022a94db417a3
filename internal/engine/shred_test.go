package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

// TestWithdrawalErasesTheTranscript: the sealed transcript of a case is gone once
// the consent is withdrawn, although the store fails at first and the process
// ends in between; the record of the conversation is gone with it, and who writes
// again begins a new one.
func TestWithdrawalErasesTheTranscript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFamilyLine(t)
		var mu sync.Mutex
		away, tries := true, 0
		store := storagetest.NewFlaky(h.store, func(c storagetest.Call) storagetest.Fault {
			mu.Lock()
			defer mu.Unlock()
			if c.Method != "Forget" {
				return storagetest.None
			}
			if tries++; away {
				return storagetest.Refused
			}
			return storagetest.None
		})
		stop := h.opens(store)
		for _, what := range []string{"/start", "English", "Contact the embassy", canary, "More", "What we hold", "Withdraw my consent"} {
			h.person(5, what)
		}
		if kept := fmt.Sprint(h.transcripts()); !strings.Contains(kept, canary) {
			t.Fatalf("there is nothing to erase: %s", kept)
		}
		h.person(5, "Yes, stop and delete")
		time.Sleep(time.Minute)
		stop()
		mu.Lock()
		if tries == 0 {
			t.Error("nobody tried to erase it")
		}
		away = false
		mu.Unlock()

		defer h.opens(store)()
		time.Sleep(10 * time.Minute)
		if kept := h.transcripts(); len(kept) != 0 {
			t.Errorf("this is kept: %v", kept)
		}
		id := h.vault.Blind("conversation", said(5, 0, "").Name)
		if _, err := h.store.Load(t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the conversation has a record still: %v", err)
		}
		h.mustBeEmpty(h.e)
		h.person(5, "a new beginning")
		kept := fmt.Sprint(h.transcripts())
		if !strings.Contains(kept, "a new beginning") || strings.Contains(kept, canary) {
			t.Errorf("the new transcript is %s", kept)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.views["chat-555005"].Text == "" {
			t.Error("the person who writes again sees nothing")
		}
	})
}

// TestWithdrawalStopsWhatWaits: words that wait for the officers' side to come
// back are not posted once the consent is withdrawn.
func TestWithdrawalStopsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFamilyLine(t)
		defer h.opens(h.store)()
		for _, what := range []string{"/start", "English", "Contact the embassy", "hello"} {
			h.person(5, what)
		}
		h.setDown(true)
		for _, what := range []string{canary, "More", "What we hold", "Withdraw my consent", "Yes, stop and delete"} {
			h.person(5, what)
		}
		h.person(5, "and again")
		h.setDown(false)
		time.Sleep(2 * time.Hour)
		var relayed []string
		for _, effect := range h.performed() {
			if relay, ok := effect.(flows.Relay); ok {
				relayed = append(relayed, relay.Text)
			}
		}
		if got := strings.Join(relayed, ", "); got != "hello, and again" {
			t.Errorf("the thread has %q", got)
		}
	})
}
