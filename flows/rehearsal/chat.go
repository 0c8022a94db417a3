package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"suar/flows"
)

// A bubble is one message as somebody sees it who holds the phone.
type bubble struct {
	id   flows.MessageID
	text string // ends with the buttons
	own  bool   // the person wrote it
	at   time.Time
}

// wrote puts a message of the person's own into the chat and returns its name.
func (r *Rehearsal) wrote(text string) flows.MessageID {
	id := r.message()
	r.chat = append(r.chat, bubble{id: id, text: text, own: true, at: r.now})
	return id
}

// appears puts a message of the bot's into the chat, or changes the one that is
// there.
func (r *Rehearsal) appears(id flows.MessageID, text string, rows [][]flows.Button) {
	b := bubble{id: id, text: text + labels(rows), at: r.now}
	if i := r.find(id); i >= 0 {
		b.at = r.chat[i].at
		r.chat[i] = b
		return
	}
	r.chat = append(r.chat, b)
}

func (r *Rehearsal) find(id flows.MessageID) int {
	return slices.IndexFunc(r.chat, func(b bubble) bool { return b.id == id })
}

// tooOld are those of some messages that Telegram does not let a bot delete.
func (r *Rehearsal) tooOld(ids []flows.MessageID) (old []flows.MessageID) {
	for _, id := range ids {
		if i := r.find(id); i >= 0 && r.now.Sub(r.chat[i].at) >= 48*time.Hour {
			old = append(old, id)
		}
	}
	return old
}

// vanish takes messages out of the chat, for both sides.
func (r *Rehearsal) vanish(ids []flows.MessageID) {
	r.chat = slices.DeleteFunc(r.chat, func(b bubble) bool { return slices.Contains(ids, b.id) })
}

// Chat is what somebody sees who opens the chat now: all that is left of both
// sides, in order, a line for each message; empty if nothing is left.
func (r *Rehearsal) Chat() string {
	var all strings.Builder
	for _, b := range r.chat {
		who := "bot"
		if b.own {
			who = "person"
		}
		fmt.Fprintf(&all, "%s: %s\n", who, strings.ReplaceAll(b.text, "\n", "\n    "))
	}
	return all.String()
}
