package storage

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Due implements Store.
func (e *Embedded) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	if e.readOnly {
		return e.dueInOrder(ctx, now, n)
	}
	var due []string
	for more := n > 0; more; {
		err := e.change(ctx, func(t *turn) (err error) {
			due, more, err = t.due(now, n)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return due, nil
}

// A listedAlarm is one in the order of time. found is false if nothing is kept
// of the conversation.
type listedAlarm struct {
	at     time.Time
	serial uint64
	record record
	found  bool
}

// alarms gives visit what is listed up to now, until it returns false. It passes
// over conversations whose record is damaged. The record's state is valid until
// visit returns.
func (e *Embedded) alarms(now time.Time, visit func(listedAlarm) bool) error {
	for listed, err := range scan(e.db, []byte{keyAlarm}) {
		if err != nil {
			return err
		}
		a := listedAlarm{}
		a.at, a.serial, _ = timed(listed.key)
		if a.at.After(now) {
			return nil
		}
		goOn := true
		a.found, err = e.look(recordKey(a.serial), func(value []byte) (err error) {
			if a.record, err = decodeRecord(value); err == nil {
				a.found = true
				goOn = visit(a)
			}
			return err
		})
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
		if err == nil && !a.found {
			goOn = visit(a)
		}
		if !goOn {
			return nil
		}
	}
	return nil
}

// dueAtOnce is how many alarms are moved to their place in one change.
const dueAtOnce = 1000

// due returns the first n conversations whose alarm is not after now. If some on
// the way are not in their place it moves them there instead, and more says that
// it is to be asked again.
func (t *turn) due(now time.Time, n int) (due []string, more bool, err error) {
	var astray []listedAlarm
	err = t.alarms(now, func(a listedAlarm) bool {
		if a.found && a.record.alarm.Equal(a.at) {
			due = append(due, a.record.id)
			return len(due) < n
		}
		a.record.state = slices.Clone(a.record.state)
		astray = append(astray, a)
		return len(astray) < dueAtOnce
	})
	if err != nil {
		return nil, false, err
	}
	for i := range astray {
		t.relist(&astray[i])
	}
	return due, len(astray) > 0, nil
}

// relist moves an alarm to its place in the order of time.
func (t *turn) relist(a *listedAlarm) {
	t.delete(alarmKey(a.at, a.serial))
	r := &a.record
	if !a.found || !r.listed.Equal(a.at) {
		return
	}
	r.listed = r.alarm
	if !r.alarm.IsZero() {
		t.put(alarmKey(r.alarm, a.serial), nil)
	}
	t.scratch = r.encode(t.scratch[:0])
	t.put(recordKey(a.serial), t.scratch)
	if o := t.known.get(r.id); o != nil {
		o.listed = r.listed
	}
}

// dueInOrder is Due where no alarm can be moved.
func (e *Embedded) dueInOrder(ctx context.Context, now time.Time, n int) ([]string, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	type dueAt struct {
		at time.Time
		id string
	}
	var all []dueAt
	err := e.alarms(now, func(a listedAlarm) bool {
		if a.found && !a.record.alarm.IsZero() && !a.record.alarm.After(now) {
			all = append(all, dueAt{a.record.alarm, a.record.id})
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b dueAt) int { return a.at.Compare(b.at) })
	var due []string
	for _, d := range all[:max(0, min(n, len(all)))] {
		due = append(due, d.id)
	}
	return due, nil
}
