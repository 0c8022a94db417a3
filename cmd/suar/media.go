package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"suar/bot"
	"suar/flows"
	"suar/internal/scrub"
)

// scrubArgument is how the program calls itself to clean a photo or a voice
// message. It is not a command for people: main answers it before anything else,
// so that the process never reads a configuration or a key.
const scrubArgument = "scrub-what-comes-in"

// A mediaKeeper cleans what the bot fetched and has the engine keep it.
type mediaKeeper struct {
	clean func(ctx context.Context, raw []byte) ([]byte, scrub.Type, error)
	keep  func(ctx context.Context, conversation string, id flows.MediaID, content []byte) error
	log   *slog.Logger
}

func (a *app) mediaKeeper() (*mediaKeeper, error) {
	child, err := scrub.Self(scrubArgument)
	if err != nil {
		return nil, err
	}
	return &mediaKeeper{clean: child.Clean, keep: a.engine.KeepMedia, log: a.log}, nil
}

// Keep is a bot's Config.Keep. A file that kills the process which cleans is
// refused like one that it refuses: it is not tried again.
func (k *mediaKeeper) Keep(ctx context.Context, conversation string, e flows.Fetch, raw []byte) (flows.Held, error) {
	clean, kind, err := k.clean(ctx, raw)
	switch {
	case errors.Is(err, scrub.ErrRefused):
		return flows.Held{}, bot.ErrUnsuited
	case err != nil && ctx.Err() == nil:
		k.log.ErrorContext(ctx, "the process that cleans photos failed", "kind", string(e.Kind))
		return flows.Held{}, bot.ErrUnsuited
	case err != nil:
		return flows.Held{}, err
	case (kind == scrub.Opus) != (e.Kind == flows.MediaVoice):
		return flows.Held{}, bot.ErrUnsuited // It is not what the officers would be told.
	}
	if err := k.keep(ctx, conversation, e.Media, clean); err != nil {
		return flows.Held{}, fmt.Errorf("keep what was cleaned: %w", err)
	}
	sum := sha256.Sum256(raw)
	return flows.Held{Type: string(kind), Bytes: len(clean), Sum: hex.EncodeToString(sum[:])}, nil
}
