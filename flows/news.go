package flows

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// What the buttons beneath an officer's reply send back. They need no token:
// they can only ever do something to the message that they stand beneath.
const (
	eraseData = "erase"
	// partData is followed by the part to show, 0 for the neutral line.
	partData = "part."
)

// longestPart is how many UTF-16 code units of a reply are shown at once.
const longestPart = 3500

// news is what a reply's message shows: a line that says nothing, or the part
// of the words that is open.
func (b *Book) news(s State, r Reply) View {
	button := func(key, data string, pairs ...string) Button {
		return Button{Label: b.say(s.Language, key, pairs...), Data: data}
	}
	part := func(n int) string { return partData + strconv.Itoa(n) }
	erase := button("ui.erase", eraseData)
	if r.Part == 0 {
		return View{Text: b.say(s.Language, "ui.news"), Rows: [][]Button{{button("ui.open", part(1)), erase}}}
	}
	all := parts(r.Text)
	n := min(r.Part, len(all))
	v := View{Text: all[n-1], Rows: [][]Button{{button("ui.close", part(0)), erase}}}
	if n < len(all) {
		next := button("ui.next", part(n+1), "part", strconv.Itoa(n+1), "parts", strconv.Itoa(len(all)))
		v.Rows = append([][]Button{{next}}, v.Rows...)
	}
	return v
}

// parts cuts words into what is shown at once: where a line ends if there is one
// in the latter half, else between words, else between characters.
func parts(text string) []string {
	var out []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		cut, units := len(text), 0
		for i, r := range text {
			if units += max(utf16.RuneLen(r), 1); units > longestPart {
				cut = i
				break
			}
		}
		if cut < len(text) {
			for _, gap := range []string{"\n", " "} {
				if i := strings.LastIndex(text[:cut], gap); i >= cut/2 {
					cut = i
					break
				}
			}
		}
		out = append(out, strings.TrimSpace(text[:cut]))
		text = text[cut:]
	}
	return out
}

// turnTo shows another part of a reply that is in the person's chat.
func (t *turn) turnTo(i, part int) {
	r := &t.s.Replies[i]
	if r.Message == "" || r.Gone || part > 0 && t.s.unsure() {
		return
	}
	r.Part = max(0, min(part, len(parts(r.Text))))
	r.Read = r.Read || r.Part > 0
	t.amend(i)
}

// amend brings the message of a reply to what it should show.
func (t *turn) amend(i int) {
	r := t.s.Replies[i]
	v := t.book.news(t.s, r)
	t.do(Amend{Message: r.Message, Part: r.Part, Text: v.Text, Rows: v.Rows})
}

// leaf answers a press beneath a reply: it opens, goes on or closes.
func (t *turn) leaf(id MessageID, data string) {
	part, err := strconv.Atoi(strings.TrimPrefix(data, partData))
	i := slices.IndexFunc(t.s.Replies, func(r Reply) bool { return r.Message.covers(id) })
	switch {
	case err != nil || part < 0:
		return
	case i >= 0 && !t.s.Left:
	case t.s.Shown.covers(id):
		t.start() // No such button is beneath the bubble.
		return
	default:
		// The reply on its way may be the one: its sending is not recorded yet.
		for j, r := range t.s.Replies {
			if r.Message == "" && !r.Held && !r.Note && !r.Gone && !t.s.Left {
				t.s.Replies[j].Wish = id
				return
			}
		}
		t.erase(id)
		return
	}
	if part == 0 {
		t.turnTo(i, 0)
		return
	}
	if t.overdue() {
		t.fold(t.before)
	}
	if t.s.Rest != nil && (t.s.unsure() || t.long(t.s.Rest.Since)) {
		t.s.Rest.Open = t.s.Replies[i].Post
		if t.s.Screen != t.book.policy.Gate {
			t.advance(t.book.policy.Gate)
		}
		t.show(false)
		return
	}
	t.turnTo(i, part)
}

// discard erases a reply that the person does not want in the chat. The officers
// are told if it was not opened: its words were not read.
func (t *turn) discard(id MessageID) {
	t.s.Replies = slices.DeleteFunc(t.s.Replies, func(r Reply) bool {
		if !r.Message.covers(id) {
			return false
		}
		if !r.Read && !r.Note && r.Text != "" && t.active() {
			t.do(Mark{Post: r.Post, Sign: SignFailed})
			t.tell("card.unopened")
		}
		return true
	})
	t.erase(id)
}

// unread lets replies wait again whose messages are gone and were not opened;
// those that were read are forgotten.
func (t *turn) unread(gone []MessageID) {
	for i := 0; i < len(t.s.Replies); i++ {
		r := &t.s.Replies[i]
		switch {
		case r.Message == "" || !slices.ContainsFunc(gone, r.Message.covers):
		case r.Read || r.Text == "":
			t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
			i--
		default:
			r.Message, r.Part, r.Held, r.Again = "", 0, true, true
			t.do(Mark{Post: r.Post, Sign: SignHeld})
			t.update()
		}
	}
}
