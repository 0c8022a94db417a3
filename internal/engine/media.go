package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"suar/flows"
	"suar/storage"
)

// ErrNoMedia says that nothing is kept under the name: it was shown, its case is
// over, or it waited for too long.
var ErrNoMedia = errors.New("engine: no such medium is kept")

const (
	// mediaPrefix begins the names of the records that hold what people sent;
	// conversations' names are hexadecimal digits.
	mediaPrefix = "media:"
	// mediaLife is after how long what is kept is erased, whatever else failed:
	// a day more than a policy may say.
	mediaLife = 8 * 24 * time.Hour
)

// mediaRecord names the record of a medium.
func (e *Engine) mediaRecord(conversation string, id flows.MediaID) string {
	return mediaPrefix + e.vault.Blind("media", conversation+":"+string(id))
}

// isMedia reports whether a record holds what a person sent, and no state.
func isMedia(record string) bool { return strings.HasPrefix(record, mediaPrefix) }

// KeepMedia keeps the content of a medium of a conversation, sealed, in place of
// an earlier one, until a flows.Drop erases it. When it returns nil it is
// durable. conversation is a Delivery's.
func (e *Engine) KeepMedia(ctx context.Context, conversation string, id flows.MediaID, content []byte) error {
	record := e.mediaRecord(conversation, id)
	at := e.now()
	return e.putMedia(ctx, record, storage.Commit{At: at, State: e.vault.Seal("media", record, content), Alarm: at.Add(mediaLife)})
}

// Media returns what KeepMedia kept, or ErrNoMedia.
func (e *Engine) Media(ctx context.Context, conversation string, id flows.MediaID) ([]byte, error) {
	record := e.mediaRecord(conversation, id)
	rec, err := e.store.Load(ctx, record)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrNoMedia
	}
	if err != nil {
		return nil, fmt.Errorf("engine: load a medium: %w", err)
	}
	content, err := e.vault.Open("media", record, rec.State)
	if err != nil {
		return nil, e.sealed(ctx, err)
	}
	return content, nil
}

// eraseMedia erases a medium's record; that there is none is as good.
func (e *Engine) eraseMedia(ctx context.Context, record string) error {
	return e.putMedia(ctx, record, storage.Commit{At: e.now()})
}

// putMedia replaces or erases a medium's record. Two processes may do so at the
// same time if a lease was lost; the later one counts.
func (e *Engine) putMedia(ctx context.Context, record string, c storage.Commit) error {
	c.ID = record
	for {
		rec, err := e.store.Load(ctx, record)
		switch {
		case errors.Is(err, storage.ErrNotFound) && c.State == nil:
			return nil
		case err != nil && !errors.Is(err, storage.ErrNotFound):
			return fmt.Errorf("engine: load a medium: %w", err)
		}
		c.Version = rec.Version
		err = e.store.Commit(ctx, c)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, storage.ErrConflict):
			return fmt.Errorf("engine: keep a medium: %w", err)
		}
	}
}
