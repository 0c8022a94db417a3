package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// auditRecord is the conversation of the trail and its transcript: who did what and
// when, of all cases, each entry chained to the one before. It is not in the form of
// a person's.
const auditRecord = "audit"

// auditHeader says what the transcript is; it has no keys of anybody.
const auditHeader = "suar audit 1"

// note appends to the trail, once for each id. Several processes may do it at once:
// whoever comes second appends behind.
func (e *Engine) note(ctx context.Context, id string, at time.Time, a flows.Audit) error {
	select { // Of one process each waits for its turn, not for a conflict.
	case e.auditing <- struct{}{}:
		defer func() { <-e.auditing }()
	case <-ctx.Done():
		return fmt.Errorf("engine: note in the trail: %w", context.Cause(ctx))
	}
	// The time is that of all tries: each conflict is an entry of somebody else's.
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for {
		err := e.noteOnce(ctx, id, at, a)
		switch {
		case errors.Is(err, storage.ErrDuplicate):
			return nil
		case errors.Is(err, storage.ErrConflict) && ctx.Err() == nil:
			continue
		case err != nil:
			return fmt.Errorf("engine: note in the trail: %w", err)
		}
		return nil
	}
}

func (e *Engine) noteOnce(ctx context.Context, id string, at time.Time, a flows.Audit) error {
	head, version, err := loadAuditHead(ctx, e.store, e.vault)
	if err != nil {
		return err
	}
	entry := AuditEntry{N: head.N + 1, At: at.UTC().Truncate(time.Minute), What: a.What, Case: a.Code, By: a.By.Name, Count: a.Count}
	for _, o := range a.With {
		entry.With = append(entry.With, o.Name)
	}
	link, head, err := head.follow(entry)
	if err != nil {
		return err
	}
	state, err := json.Marshal(head)
	if err != nil {
		return err
	}
	commit := storage.Commit{
		ID: auditRecord, Version: version, At: e.now(),
		Events:     []string{e.vault.Blind("event", "audit:"+id)},
		State:      e.vault.Seal("audit head", auditRecord, state),
		Transcript: auditRecord,
		Entries:    [][]byte{e.vault.SealLasting("audit", auditRecord, link)},
	}
	if version == 0 {
		commit.Header = []byte(auditHeader)
	}
	return e.store.Commit(ctx, commit)
}

// loadAuditHead returns the trail's end as the store remembers it, and the version
// of that record, 0 without one.
func loadAuditHead(ctx context.Context, store interface {
	Load(ctx context.Context, id string) (storage.Record, error)
}, v *seal.Vault,
) (AuditHead, uint64, error) {
	rec, err := store.Load(ctx, auditRecord)
	if errors.Is(err, storage.ErrNotFound) {
		return AuditHead{}, 0, nil
	}
	if err != nil {
		return AuditHead{}, 0, err
	}
	head, err := openAuditHead(v, rec.State)
	return head, rec.Version, err
}

func openAuditHead(v *seal.Vault, state []byte) (AuditHead, error) {
	var head AuditHead
	plain, err := v.Open("audit head", auditRecord, state)
	if err != nil || json.Unmarshal(plain, &head) != nil {
		return head, errDamaged
	}
	return head, nil
}

// Audit notes what officers did that is of no conversation's step, such as a change
// of the duty. The same id is noted once within 48 h; when it returns nil it is
// durable.
func (e *Engine) Audit(ctx context.Context, id string, a flows.Audit) error {
	return e.note(ctx, id, e.now(), a)
}

// AuditHead returns the trail's end, for a witness whom a thief of this server
// cannot change unseen.
func (e *Engine) AuditHead(ctx context.Context) (AuditHead, error) {
	head, _, err := loadAuditHead(ctx, e.store, e.vault)
	if err != nil {
		return head, fmt.Errorf("engine: the trail's end: %w", err)
	}
	return head, nil
}
