package main

import (
	"context"
	"encoding/json"
	"errors"

	"suar/handoff/roster"
)

// onDuty is the roster that is served, with the changes that leads made.
func (a *app) onDuty() *roster.Roster {
	r := a.duty.Load()
	if list := a.changes.Load(); list != nil && len(*list) > 0 {
		return r.With(*list)
	}
	return r
}

// loadChanges takes over what is kept of the changes.
func (a *app) loadChanges(ctx context.Context) error {
	raw, err := a.engine.Duty(ctx)
	if err != nil {
		return err
	}
	list, err := readChanges(raw)
	if err == nil {
		a.changes.Store(&list)
	}
	return err
}

// dutyChanges are the changes as this process knows them.
func (a *app) dutyChanges() []roster.Change {
	if list := a.changes.Load(); list != nil {
		return *list
	}
	return nil
}

// changeDuty keeps what change makes of the changes. Other processes have them within
// rosterRead.
func (a *app) changeDuty(ctx context.Context, change func([]roster.Change) ([]roster.Change, error)) error {
	var list []roster.Change
	err := a.engine.ChangeDuty(ctx, func(old []byte) ([]byte, error) {
		before, err := readChanges(old)
		if err != nil {
			return nil, err
		}
		if list, err = change(before); err != nil {
			return nil, err
		}
		return json.Marshal(list)
	})
	if err == nil {
		a.changes.Store(&list)
	}
	return err
}

func readChanges(raw []byte) ([]roster.Change, error) {
	var list []roster.Change
	if len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
		return nil, errors.New("the changes of the duty cannot be read")
	}
	return list, nil
}
