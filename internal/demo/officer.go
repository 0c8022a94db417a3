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

// answer sends the dialog that a press opened, with what was filled in: texts by the
// names of the fields, and an officer by name. It returns what the hotline has
// against the fields, under "" against the whole, and the dialog that comes next, nil
// if that was all.
func (h *Hotline) answer(ctx context.Context, o officer, d *standin.Dialog, values map[string]string) (map[string]string, *standin.Dialog, error) {
	fields := map[string]any{}
	for _, e := range d.Elements {
		v := values[e.Name]
		switch {
		case e.Type == "bool":
			fields[e.Name] = v == "true"
			continue
		case e.Type == "select" && len(e.Options) == 0: // One of the officers: a client sends the id.
			if named, err := h.officer(v); err == nil {
				v = named.id
			}
		}
		if v != "" {
			fields[e.Name] = v
		}
	}
	return o.Fill(ctx, h.channel, d, fields)
}
