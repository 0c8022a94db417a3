package engine

import (
	"context"
	"errors"
	"reflect"
	"time"

	"suar/storage"
)

const (
	// rewindMost is how many items are let go in each lane, and how many
	// conversations are looked at: all that there are.
	rewindMost = 1 << 20
	// rewindReach is how far ahead of the former time an alarm may lie.
	rewindReach = 400 * 24 * time.Hour
)

// rewind makes due what waits for a time that is far in the future since the
// clock was set back, from the given instant. A delivery that is under way at
// this moment loses its lease and is made again.
func (e *Engine) rewind(ctx context.Context, from time.Time) {
	now := e.now()
	for _, lane := range storage.Lanes() {
		// Who leases until now lets go at once.
		if _, err := e.store.Lease(ctx, lane, rewindMost, from.Add(time.Hour), now); err != nil {
			e.trouble(ctx, "rewind", err)
		}
		if d := e.serving[lane].Load(); d != nil {
			d.slots.leave()
			d.rouse()
		}
	}
	ids, err := e.store.Due(ctx, from.Add(rewindReach), rewindMost)
	if err != nil {
		e.trouble(ctx, "rewind", err)
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			return
		}
		if isMedia(id) {
			continue // It stays as long as was said when it came.
		}
		if err := e.recall(ctx, id, now); err != nil {
			e.trouble(ctx, "rewind", err)
		}
	}
}

// recall puts what a conversation remembers of the future at the present, and
// rings its alarm, which is then counted from there.
func (e *Engine) recall(ctx context.Context, id string, now time.Time) error {
	for {
		c, found, err := e.load(ctx, id)
		if err != nil || !found {
			return err
		}
		// The next step makes it anew; only it may lie ahead.
		c.State.Due = time.Time{}
		if !present(reflect.ValueOf(&c.State).Elem(), now) {
			return nil
		}
		d, err := e.next(step{conversation: id, alarm: now}, c, true)
		if err != nil {
			return err
		}
		e.memory.drop(id)
		if err := e.store.Commit(ctx, d.Commit); !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}

// present sets every instant in a value that is later than now to now, and
// reports whether there was one.
func present(v reflect.Value, now time.Time) (changed bool) {
	switch v.Kind() { //nolint:exhaustive // The others hold no instant.
	case reflect.Pointer:
		return !v.IsNil() && present(v.Elem(), now)
	case reflect.Slice:
		for i := range v.Len() {
			changed = present(v.Index(i), now) || changed
		}
	case reflect.Struct:
		if at, ok := reflect.TypeAssert[time.Time](v); ok {
			if at.After(now) {
				v.Set(reflect.ValueOf(now))
				return true
			}
			return false
		}
		for _, field := range v.Fields() {
			if field.CanSet() {
				changed = present(field, now) || changed
			}
		}
	}
	return changed
}
