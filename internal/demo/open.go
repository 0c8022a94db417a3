package demo

import (
	"bytes"
	"context"
	"errors"
	"strings"
)

// Opened is what "suar open" said.
type Opened struct {
	// Command is the command line, with the names that the files would have.
	Command string `json:"command"`
	Output  string `json:"output"`
	Faults  string `json:"faults"`
	// Exit is 0 if the transcript is proven to be whole.
	Exit int `json:"exit"`
}

// Open opens a case with the officer's key by running "suar open" on a copy of
// the store. The witness is what the card shows.
func (h *Hotline) Open(ctx context.Context, code string) (_ Opened, err error) {
	path, erase, err := h.copyStore()
	if err != nil {
		return Opened{}, err
	}
	defer func() { err = errors.Join(err, erase()) }()
	args := []string{"open", code, "--store", path, "--identity", h.key, "--passphrase-file", h.passphrase}
	shown := "suar open " + code + " --store store --identity siti.key"
	if witness := h.witness(code); witness != "" {
		args = append(args, "--witness", witness)
		shown += " --witness '" + witness + "'"
	}
	var out, faults bytes.Buffer
	exit := h.commands.Run(ctx, args, &out, &faults)
	return Opened{Command: shown, Output: out.String(), Faults: faults.String(), Exit: exit}, nil
}

// witness is what the card of a case shows at its foot.
func (h *Hotline) witness(code string) string {
	for _, t := range h.mattermost.Snapshot(h.channel) {
		for _, card := range t.Root.Cards {
			if card.Footer != "" && strings.Contains(t.Root.Text+card.Title, code) {
				return card.Footer
			}
		}
	}
	return ""
}
