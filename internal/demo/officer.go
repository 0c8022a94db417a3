package demo

import (
	"context"
	"errors"
	"slices"

	"suar/internal/mattermosttest/standin"
)

// errOfficer says that there is no officer of that name.
var errOfficer = errors.New("demo: no such officer")

// An officer is somebody who acts in Mattermost as an officer's client does.
type officer struct {
	*standin.Seat
	id, name string
}

func (h *Hotline) officer(name string) (officer, error) {
	i := slices.IndexFunc(h.officers, func(o officer) bool { return o.name == name })
	if i < 0 {
		return officer{}, errOfficer
	}
	return h.officers[i], nil
}

// answer sends the dialog that a press opened. What the hotline has against it
// is the error.
func (h *Hotline) answer(ctx context.Context, o officer, d *standin.Dialog) error {
	faults, err := o.Submit(ctx, h.channel, d, map[string]any{})
	if err != nil {
		return err
	}
	for _, fault := range faults {
		return errors.New(fault)
	}
	return nil
}
