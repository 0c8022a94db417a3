package flows_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"suar/flows"
)

// A phone is a life with the chat as it is seen: the messages of both sides.
type phone struct {
	*life
	chat []line
}

// A line is a message: what a person wrote, or what ours shows.
type line struct {
	id   flows.MessageID
	text string
}

func see(l *life) *phone {
	p := &phone{life: l}
	l.watch = func(d flows.Delivered) {
		switch e := d.Effect.(type) {
		case flows.Show:
			v := l.book.View(l.s, l.now)
			if v.Text == "" || d.Message == "" {
				return
			}
			if i := p.find(d.Message); i >= 0 {
				p.chat[i].text = "bubble: " + seen(v)
				return
			}
			p.chat = append(p.chat, line{d.Message, "bubble: " + seen(v)})
		case flows.Say:
			p.chat = append(p.chat, line{d.Message, "says: " + e.Text})
		case flows.Amend:
			p.chat = append(p.chat, line{e.Message, "changes: " + e.Text})
		case flows.Erase:
			p.chat = slices.DeleteFunc(p.chat, func(l line) bool { return slices.Contains(e.Messages, l.id) })
		}
	}
	return p
}

func (p *phone) find(id flows.MessageID) int {
	return slices.IndexFunc(p.chat, func(l line) bool { return l.id == id })
}

// wrote puts a message of the person's into the chat.
func (p *phone) wrote(text string) flows.MessageID {
	id := p.id()
	p.chat = append(p.chat, line{id, "own: " + text})
	return id
}

// String is the chat without what differs from one to another: identities and codes.
func (p *phone) String() string {
	var b strings.Builder
	for _, l := range p.chat {
		b.WriteString(l.text + "\n")
	}
	text := b.String()
	for s := &p.s; s != nil; s = s.Mask {
		if s.Code != "" {
			text = strings.ReplaceAll(text, s.Code, "CODE")
		}
	}
	return text
}

// labels are the presses that the bubble offers, without the token.
func (p *phone) labels() (labels, presses []string) {
	for _, row := range p.book.View(p.s, p.now).Rows {
		for _, b := range row {
			_, press, _ := strings.Cut(b.Data, ".")
			labels, presses = append(labels, b.Label), append(presses, press)
		}
	}
	return labels, presses
}

// An input is what somebody does with the telephone, or what the world does.
type input struct {
	name string
	do   func(p *phone)
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// anInput draws what comes next. It must mean the same in both chats.
func anInput(r *rand.Rand, p *phone) input {
	words := []string{
		"hello", "who reads this", "please help", "nasi goreng", "🍜", "   ", "\u200b", "0234 5678 9012 3456",
		"ring 0234 5678 9012 3456 now", strings.Repeat("a", 4096), "7", "ya", "\u202eطعام",
	}
	text := pick(r, words...)
	event := func(name string, of func(p *phone) flows.Event) input {
		return input{name, func(p *phone) { p.happen(of(p)); p.keep() }}
	}
	switch r.IntN(16) {
	case 0, 1:
		return event("says "+text, func(p *phone) flows.Event { return flows.Said{Message: p.wrote(text), Text: text} })
	case 2:
		return event("starts", func(p *phone) flows.Event { return flows.Started{Message: p.wrote("/start")} })
	case 3:
		what := pick(r, flows.AskPrivacy, flows.AskLanguage, flows.AskDelete)
		return event("asks "+string(what), func(p *phone) flows.Event {
			return flows.Asked{Message: p.wrote("/" + string(what)), What: what}
		})
	case 4:
		media := pick(r, flows.MediaPhoto, flows.MediaVoice, flows.MediaSticker)
		caption := pick(r, "", "", text)
		return event("sends "+string(media)+" "+caption, func(p *phone) flows.Event {
			return flows.Attached{Message: p.wrote(string(media)), Media: media, Caption: caption, File: "f"}
		})
	case 5:
		n := r.IntN(4)
		return event("edits "+text, func(p *phone) flows.Event {
			var own []flows.MessageID
			for _, l := range p.chat {
				if strings.HasPrefix(l.text, "own") {
					own = append(own, l.id)
				}
			}
			if n < len(own) {
				p.chat[p.find(own[n])].text = "own: " + text
				return flows.Edited{Message: own[n], Text: text}
			}
			return flows.Edited{Message: "old", Text: text}
		})
	case 6:
		return event("garbles", func(p *phone) flows.Event { return flows.Garbled{Message: p.wrote("?")} })
	case 7, 8:
		d := pick(r, time.Second, time.Minute, 11*time.Minute, 31*time.Minute, 7*time.Hour, 50*time.Hour)
		return input{"waits " + d.String(), func(p *phone) { p.passes(d); p.keep() }}
	case 9:
		return input{"is claimed", func(p *phone) {
			p.happen(flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}})
		}}
	case 10:
		data := pick(r, "x.o0", "erase", "part.1", "", "x", "aaaaaaaa.h")
		return event("presses "+data, func(p *phone) flows.Event {
			bubble, _ := p.s.Bubble()
			return flows.Chose{Message: bubble, Data: data}
		})
	}
	labels, _ := p.labels()
	if len(labels) == 0 {
		return event("starts", func(p *phone) flows.Event { return flows.Started{Message: p.wrote("/start")} })
	}
	label := pick(r, labels...)
	return input{"presses " + label, func(p *phone) { p.presses(label); p.keep() }}
}

// TestTheMaskIsAStrangersChat: domain.md 8, never confirm or deny a person's
// contact. Whoever answered the question wrong and does 200
// things of any kind sees at every step what a stranger sees who does them: the same
// messages of both sides, in the same order.
func TestTheMaskIsAStrangersChat(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { theSame(t, seed, "wrong") })
	}
}

func theSame(t *testing.T, seed uint64, answer string) {
	r := rand.New(rand.NewPCG(seed, 12))
	masked := see(asked(t, testWord, testPhrase))
	masked.says(answer)
	stranger := see(newLife(t))
	stranger.now = masked.now
	if seed%2 == 1 { // Half of them where nobody is on duty most of the day.
		masked.night, stranger.night = noDuty, noDuty
	}
	stranger.happen(flows.Started{Message: stranger.id()})
	stranger.presses("English")
	if len(masked.chat) != 1 || masked.String() != stranger.String() {
		t.Fatalf("it begins otherwise:\n%s", cmp.Diff(stranger.String(), masked.String()))
	}
	var story []string
	for range 200 {
		in := anInput(r, stranger)
		if story = append(story, fmt.Sprintf("%.40s", in.name)); len(story) > 12 {
			story = story[1:]
		}
		in.do(masked)
		in.do(stranger)
		if masked.s.Mask == nil {
			t.Fatalf("the mask is off after %q", story)
		}
		if diff := cmp.Diff(stranger.String(), masked.String()); diff != "" {
			t.Fatalf("after %q (-stranger +masked):\n%s", story, diff)
		}
	}
}
