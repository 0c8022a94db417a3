package engine

import (
	"context"
	"errors"
	"fmt"

	"suar/internal/seal"
	"suar/storage"
)

// Epochs counts what is sealed by the vault, by the epoch of its key.
type Epochs map[uint32]int

// Count counts what a piece of a store or a backup has: the record's state, what
// waits to be delivered, and the entries of the trail, which are of an epoch only
// if they were made before there was one for what lasts. Transcripts of cases are
// not the vault's. Of a piece that is given twice both count.
func (n Epochs) Count(p storage.Piece) {
	if p.Version > 0 {
		n[seal.SealedIn(p.State)]++
	}
	for _, q := range p.Items {
		n[seal.SealedIn(q.Body)]++
	}
	for _, entry := range p.Transcripts[auditRecord].Entries {
		if epoch := seal.SealedIn(entry); epoch > 0 {
			n[epoch]++
		}
	}
}

// KeyEpoch returns the epoch in which a piece says that all records of its store
// are sealed, 0 for a piece that does not say it: see Reseal.
func KeyEpoch(p storage.Piece) uint32 {
	if p.ID != keyRecord || p.Version == 0 {
		return 0
	}
	return seal.SealedIn(p.State)
}

// Resealed says how far the store has come into the vault's present epoch.
type Resealed struct {
	Epoch uint32
	// Records were sealed anew. Left are those of an earlier epoch that do not
	// open, or that nobody knows how to open.
	Records, Left int
	// Waiting are effects of an earlier epoch that wait for their delivery: they
	// go by themselves.
	Waiting int
}

// Reseal seals every record that is of an earlier epoch anew with the vault's
// present one, while the hotline runs. A conversation that changes meanwhile is
// sealed by that change. It is called again, a minute later or more, until Records
// is 0: what was being committed when the keyring was taken over may still have
// come in the earlier epoch. A call that finds none seals the key's own record,
// which tells that it is done; then Reseal does nothing. Until then the earlier
// keys must stay. Any process may call it, also several at once.
func (e *Engine) Reseal(ctx context.Context) (Resealed, error) {
	done := Resealed{Epoch: e.vault.Epoch()}
	rec, err := e.store.Load(ctx, keyRecord)
	if err != nil {
		return done, fmt.Errorf("engine: seal anew: %w", err)
	}
	if seal.SealedIn(rec.State) >= done.Epoch {
		return done, nil
	}
	// Only the names are kept: a store may be larger than the memory.
	var stale []string
	err = e.store.Dump(ctx, func(p storage.Piece) error {
		if p.Version > 0 && p.ID != keyRecord && seal.SealedIn(p.State) < done.Epoch {
			stale = append(stale, p.ID)
		}
		for _, q := range p.Items {
			if seal.SealedIn(q.Body) < done.Epoch {
				done.Waiting++
			}
		}
		return nil
	})
	if err != nil {
		return done, fmt.Errorf("engine: seal anew: %w", err)
	}
	for _, id := range stale {
		switch err := e.reseal(ctx, id, done.Epoch); {
		case err == nil:
			done.Records++
		case errors.Is(err, ErrStep):
			done.Left++
		default:
			return done, fmt.Errorf("engine: seal anew: %w", err)
		}
	}
	if done.Left+done.Records > 0 {
		return done, nil
	}
	if err := e.reseal(ctx, keyRecord, done.Epoch); err != nil {
		return done, fmt.Errorf("engine: seal anew: %w", err)
	}
	return done, nil
}

// ownBucket is the bucket of a record that is no conversation's, "" of one that is.
// Its key is its name.
func ownBucket(id string) string {
	switch id {
	case keyRecord:
		return "check"
	case clockRecord:
		return "clock"
	case restoredRecord:
		return "restored"
	case rosterRecord:
		return "roster"
	case dutyRecord:
		return "duty"
	case auditRecord:
		return "audit head"
	}
	if isMedia(id) {
		return "media"
	}
	return ""
}

// reseal seals one record anew, unless somebody did, or it is no more.
func (e *Engine) reseal(ctx context.Context, id string, epoch uint32) error {
	for {
		ctx, cancel := context.WithTimeout(ctx, storeTimeout)
		err := e.resealOnce(ctx, id, epoch)
		cancel()
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}

func (e *Engine) resealOnce(ctx context.Context, id string, epoch uint32) error {
	rec, err := e.store.Load(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil || seal.SealedIn(rec.State) >= epoch {
		return err
	}
	if bucket := ownBucket(id); bucket != "" {
		plain, err := e.vault.Open(bucket, id, rec.State)
		if err != nil {
			return fmt.Errorf("%w (%w)", errDamaged, err)
		}
		return e.store.Commit(ctx, storage.Commit{
			ID: id, Version: rec.Version, At: e.now(), State: e.vault.Seal(bucket, id, plain), Alarm: rec.Alarm,
		})
	}
	c, found, err := e.load(ctx, id)
	if err != nil || !found {
		return err
	}
	d, err := e.next(step{conversation: id, alarm: c.alarm}, c, true)
	if err != nil {
		return err
	}
	e.memory.drop(id)
	return e.store.Commit(ctx, d.Commit)
}
