package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"testing"

	"suar/bot"
	"suar/flows"
	"suar/internal/scrub"
	"suar/internal/scrub/scrubtest"
)

// TestMediaKeeper: what is kept is the cleaned file, its hash is the original's,
// and what is not what the officers would be told is not kept.
func TestMediaKeeper(t *testing.T) {
	failed := errors.New("the store is away")
	for _, tt := range []struct {
		name  string
		kind  flows.Media
		raw   []byte
		clean func(context.Context, []byte) ([]byte, scrub.Type, error)
		keep  error
		want  error
	}{
		{name: "photo", kind: flows.MediaPhoto, raw: scrubtest.JPEG(8, 8)},
		{name: "photo as a file", kind: flows.MediaFile, raw: scrubtest.PNG(8, 8)},
		{name: "voice", kind: flows.MediaVoice, raw: scrubtest.Voice(5)},
		{name: "a voice that says that it is a photo", kind: flows.MediaPhoto, raw: scrubtest.Voice(5), want: bot.ErrUnsuited},
		{name: "a photo that says that it is a voice", kind: flows.MediaVoice, raw: scrubtest.JPEG(8, 8), want: bot.ErrUnsuited},
		{name: "a programme", kind: flows.MediaFile, raw: []byte("\x7fELF"), want: bot.ErrUnsuited},
		{name: "nothing", kind: flows.MediaPhoto, want: bot.ErrUnsuited},
		{
			name: "a file that kills the child", kind: flows.MediaPhoto, raw: scrubtest.JPEG(8, 8), want: bot.ErrUnsuited,
			clean: func(context.Context, []byte) ([]byte, scrub.Type, error) { return nil, "", scrub.ErrFailed },
		},
		{name: "a store that is away", kind: flows.MediaPhoto, raw: scrubtest.JPEG(8, 8), keep: failed, want: failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []byte
			k := &mediaKeeper{
				clean: func(_ context.Context, raw []byte) ([]byte, scrub.Type, error) { return scrub.Clean(raw) },
				keep: func(_ context.Context, conversation string, id flows.MediaID, content []byte) error {
					if conversation != "c" || id != "m" {
						t.Errorf("kept as %q of %q", id, conversation)
					}
					got = content
					return tt.keep
				},
				log: slog.New(slog.DiscardHandler),
			}
			if tt.clean != nil {
				k.clean = tt.clean
			}
			held, err := k.Keep(t.Context(), "c", flows.Fetch{Media: "m", Kind: tt.kind}, tt.raw)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v; want %v", err, tt.want)
			}
			if tt.want != nil {
				if got != nil && tt.keep == nil {
					t.Error("it was kept")
				}
				return
			}
			sum := sha256.Sum256(tt.raw)
			if held.Sum != hex.EncodeToString(sum[:]) || held.Bytes != len(got) || held.Type != string(scrub.Sniff(got)) {
				t.Errorf("held %+v of %d bytes", held, len(got))
			}
			if bytes.Contains(got, []byte(scrubtest.Canary)) {
				t.Error("it was not cleaned")
			}
		})
	}
}
