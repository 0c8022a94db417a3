package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"suar/flows"
	"suar/internal/caseid"
	"suar/internal/seal"
	"suar/storage"
)

// A witnessed store keeps a copy of every byte that it was ever given.
type witnessed struct {
	storage.Store
	mu    sync.Mutex
	bytes []byte
}

func (w *witnessed) Commit(ctx context.Context, c storage.Commit) error {
	w.mu.Lock()
	add := func(bb ...[]byte) {
		for _, b := range bb {
			w.bytes = append(append(w.bytes, b...), '\n')
		}
	}
	add([]byte(c.ID), []byte(strings.Join(c.Events, "")), c.State, []byte(c.Transcript), c.Header)
	add(c.Entries...)
	for _, n := range c.Names {
		add([]byte(n))
	}
	for _, it := range c.Items {
		add([]byte(it.ID), it.Body)
	}
	w.mu.Unlock()
	return w.Store.Commit(ctx, c)
}

// spellings are the ways in which a word may lie about in a file. Base 64 has
// one for each position that the word can begin at.
func spellings(word string) [][]byte {
	out := [][]byte{[]byte(word), []byte(hex.EncodeToString([]byte(word)))}
	for offset := range 3 {
		padded := append(make([]byte, offset), word...)
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(padded)
			// The first and last characters share bits with the neighbours.
			out = append(out, []byte(text[(offset*8+5)/6:len(text)-2]))
		}
	}
	var wide []byte
	for _, u := range utf16.Encode([]rune(word)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	return append(out, wide)
}

// secrets are what nobody may find in the store of conversation.
func secrets() []string {
	return []string{canary, "555001", "chat-555001", "ayu-lestari", "AGE-SECRET-KEY", "person"}
}

// conversation goes through a whole case and a second one that is left open,
// with effects that still wait at the end.
func (w *world) conversation(e *Engine) {
	w.t.Helper()
	stop := w.run(e)
	w.handle(e, said(1, 1, "help "+canary))
	synctest.Wait()
	w.handle(e, replied("p1", 1, "we read "+canary))
	w.handle(e, Inbound{Name: "mm:p1", ID: "mm:close", Event: flows.Closed{Officer: flows.Officer{Name: "ayu-lestari"}}})
	synctest.Wait()
	leave := said(1, 2, "")
	leave.Event = flows.Asked{What: flows.AskPrivacy}
	w.handle(e, leave)
	synctest.Wait()
	stop()
	w.handle(e, said(1, 3, "again "+canary))
}

// TestNothingReadableAtRest searches every byte that the store was given, and
// makes sure that the search finds what is there.
func TestNothingReadableAtRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		kept := &witnessed{Store: w.store}
		w.conversation(w.engineOn(kept))
		if len(kept.bytes) < 8_000 {
			t.Fatalf("only %d bytes were kept", len(kept.bytes))
		}
		for _, word := range secrets() {
			for _, spelling := range spellings(word) {
				if bytes.Contains(kept.bytes, spelling) {
					t.Errorf("the store holds %q as %q", word, spelling)
				}
			}
			for before := range 3 {
				raw := fmt.Sprintf("%.*s%s and so on", before, "ab", word)
				found := false
				for _, enc := range []string{raw, hex.EncodeToString([]byte(raw)), base64.StdEncoding.EncodeToString([]byte(raw))} {
					found = false
					for _, spelling := range spellings(word) {
						found = found || bytes.Contains([]byte(enc), spelling)
					}
					if !found {
						t.Errorf("the search does not find %q in %q", word, enc)
					}
				}
			}
		}
		w.mustBeSilent()
	})
}

// TestOnlyOfficersOpenTranscripts tries to open the transcripts with all that
// the server has.
func TestOnlyOfficersOpenTranscripts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.conversation(e)
		if got := len(w.transcripts()); got != 2 {
			t.Fatalf("the officer opens %d transcripts, want 2", got)
		}
		c, found, err := e.load(t.Context(), w.vault.Blind("conversation", "tg:555001"))
		if err != nil || !found {
			t.Fatalf("load: %v, %v", found, err)
		}
		rec, err := w.store.Load(t.Context(), w.vault.Blind("conversation", "tg:555001"))
		if err != nil {
			t.Fatal(err)
		}
		state, err := w.vault.Open("state", stateKey(w.vault.Blind("conversation", "tg:555001"), c.version), rec.State)
		if err != nil {
			t.Fatal(err)
		}
		// The case key's private half is not in what the vault opens, and an
		// older version of the state does not open in the place of this one.
		if bytes.Contains(bytes.ToUpper(state), []byte("AGE-SECRET-KEY")) {
			t.Error("the state holds a case key")
		}
		if _, err := w.vault.Open("state", stateKey(w.vault.Blind("conversation", "tg:555001"), c.version+1), rec.State); err == nil {
			t.Error("the state opens at another version")
		}
		_, stranger := testOfficers(t)
		names, err := w.store.Transcripts(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if name == auditRecord {
				continue
			}
			kept, err := w.store.Transcript(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			id, err := caseid.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := seal.ReadTranscript(id, kept.Header, kept.Entries, stranger); !errors.Is(err, seal.ErrNotRecipient) {
				t.Errorf("a stranger's key: %v, want ErrNotRecipient", err)
			}
			for _, sealed := range append(kept.Entries, kept.Header) {
				for _, bucket := range []string{"state", "item", "check", "entry", "transcript"} {
					if _, err := w.vault.Open(bucket, name, sealed); err == nil {
						t.Errorf("the vault opens a transcript as %q", bucket)
					}
				}
			}
		}
	})
}

// TestStoreFails ends Run when the store says that it takes no writes any more.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &failingStore{Store: w.store, failed: make(chan struct{})}
		e := w.engineOn(s)
		done := make(chan error)
		go func() {
			done <- e.Run(t.Context(), map[flows.Side]Deliverer{flows.Caller: w.chat, flows.Officers: w.channel})
		}()
		time.Sleep(time.Second)
		close(s.failed)
		if err := <-done; !errors.Is(err, errDisk) {
			t.Errorf("Run: %v, want the store's error", err)
		}
	})
}

var errDisk = errors.New("test: the disk is full")

type failingStore struct {
	storage.Store
	failed chan struct{}
}

func (s *failingStore) Failed() <-chan struct{} { return s.failed }

func (s *failingStore) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	select {
	case <-s.failed:
		return 0, errDisk
	default:
		return s.Store.Sweep(ctx, before, n)
	}
}
