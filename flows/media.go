package flows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is attached is refused, and not fetched, unless an officer allowed photos
// and voice messages for the one case. Then it goes this way:
//
//	Attached ─ Fetch ─ the person's edge fetches, has it cleaned and sealed
//	         ─ Offer ─ a line in the thread with a button, and no preview
//	Acted(show) ─ Present ─ the file itself, once
//	         ─ Drop ─ the sealed content is erased
//
// The content itself never passes through a state or an effect. It is kept
// sealed under the MediaID until it was shown, until the case ends or its state
// is erased, or until the policy's time for it is over, whichever comes first.

// A MediaID names one photo or voice message of a conversation.
type MediaID string

// A FileID is where the person's edge finds what is attached; its meaning is the
// edge's own.
type FileID string

// MaxMedia is how long a photo or a voice message may be, in bytes.
const MaxMedia = 4_000_000

// mostMedia is how many may be kept unseen in one case: an album.
const mostMedia = 10

// A Medium is a photo or voice message of the case that was not shown yet.
type Medium struct {
	ID    MediaID   `json:"id"`
	At    time.Time `json:"at"`
	Kind  Media     `json:"kind"`
	Stage Stage     `json:"stage"`
	// Number counts the case's: it is in the file's name.
	Number int `json:"number"`
	// Type and Bytes are the cleaned file's media type and length, once it is
	// there.
	Type  string `json:"type,omitempty"`
	Bytes int    `json:"bytes,omitempty"`
	// Post is its line in the thread, Officer who asked for it.
	Post    PostID  `json:"post,omitempty"`
	Officer Officer `json:"officer,omitzero"`
}

// A Stage is how far a medium has come.
type Stage string

// The stages.
const (
	Fetching Stage = "fetching" // it is being fetched and cleaned
	Offering Stage = "offering" // its line is on the way to the thread
	Offered  Stage = "offered"  // officers can ask for it
	Showing  Stage = "showing"  // it is on the way to the thread
)

// A Held is what an edge had sealed: what it is, and how the original differs
// from every other.
type Held struct {
	// Type is the media type of the cleaned file, by its bytes; Bytes its length.
	Type  string
	Bytes int
	// Sum is the SHA-256 of the file as the person sent it, in hexadecimal.
	Sum string
}

// takes reports whether photos and voice messages are taken now.
func (s State) takes() bool {
	c := s.Case
	return c != nil && c.Takes && c.Phase != Ended && !s.Left && s.Rest == nil && !s.unsure()
}

// medium returns the index of a medium of the case, -1 without one.
func (t *turn) medium(id MediaID) int {
	if t.s.Case == nil {
		return -1
	}
	return slices.IndexFunc(t.s.Case.Media, func(m Medium) bool { return m.ID == id })
}

// attached takes what is attached, or refuses it without looking.
func (t *turn) attached(ev Attached) {
	note := t.refusal(ev)
	switch {
	case note == "":
		t.start() // First it is seen that it is on its way.
		t.fetch(ev)
	case t.with():
		t.do(Tell{Text: t.attachment(ev)})
		t.record("person", "attached", string(ev.Media))
	}
	if strings.TrimSpace(ev.Caption) != "" {
		if said := (Said{Message: ev.Message, Text: ev.Caption}); !t.astray(said) && !t.hear(kindSaid, said) {
			t.said(said)
		}
	}
	if note != "" {
		t.note(note)
	}
}

// attachment says to the officers what the person tried to send. They are told,
// it is not passed on: the person must not read that they have what was refused.
func (t *turn) attachment(ev Attached) string {
	return t.officers("card.attached", "media", t.officers("media."+string(ev.Media)))
}

// refusal is the text key of why something attached is not taken, "" if it is.
func (t *turn) refusal(ev Attached) string {
	switch {
	case !t.with() || !t.s.takes():
		return "ui.media"
	case ev.File == "":
		return "ui.media_unsuited"
	case ev.Size > MaxMedia:
		return "ui.media_large"
	case len(t.s.Case.Media) >= mostMedia:
		return "ui.media_many"
	}
	return ""
}

// fetch begins to take a file in. Like words it counts as on its way until it is
// in the thread.
func (t *turn) fetch(ev Attached) {
	c := t.s.Case
	c.Taken++
	m := Medium{ID: t.m.mediaID(), At: t.m.At, Kind: ev.Media, Stage: Fetching, Number: c.Taken}
	c.Media = append(c.Media, m)
	t.sending()
	t.do(Fetch{Media: m.ID, Kind: ev.Media, File: ev.File})
}

// fetched offers the officers what is there now.
func (t *turn) fetched(e Fetch, held Held) {
	i := t.medium(e.Media)
	if i < 0 {
		t.do(Drop{Media: e.Media}) // The case ended meanwhile.
		return
	}
	m := &t.s.Case.Media[i]
	m.Stage, m.Type, m.Bytes = Offering, held.Type, held.Bytes
	t.record("person", "media", fmt.Sprintf("%s %d, %s, %d B, SHA-256 %s", m.Kind, m.Number, held.Type, held.Bytes, held.Sum))
	t.offer(*m)
	if t.s.Case.Phase == Owned && t.s.Case.Owed.IsZero() {
		t.s.Case.Owed = t.m.At
	}
}

// unfetched tells both sides that a file could not be taken in.
func (t *turn) unfetched(e Fetch, why Reason) {
	t.do(Drop{Media: e.Media}) // It may have been sealed, and only its outcome lost.
	i := t.medium(e.Media)
	if i < 0 {
		return
	}
	c := t.s.Case
	m := c.Media[i]
	c.Media = slices.Delete(c.Media, i, i+1)
	outcome := "failed"
	switch why {
	case ReasonTooLarge:
		outcome = "large"
	case ReasonUnsuited:
		outcome = "unsuited"
	}
	t.record("person", "attached", string(m.Kind))
	t.do(Tell{Text: t.officers("card.media."+outcome, "media", t.officers("media."+string(m.Kind)))})
	t.sent()
	if !t.s.Left {
		t.s.Note = "ui.media_" + outcome
		t.show(true)
	}
}

// offer puts a medium's line into the thread.
func (t *turn) offer(m Medium) {
	t.do(Offer{Media: m.ID, Text: t.mediumLine(m, "card.media.offer", ""), Label: t.officers("card.media.show")})
}

// mediumLine is a text to the officers about one medium.
func (t *turn) mediumLine(m Medium, key, officer string) string {
	kind := t.officers("card.media.photo")
	if m.Kind == MediaVoice {
		kind = t.officers("card.media.voice")
	}
	return t.officers(key, "media", kind, "number", strconv.Itoa(m.Number), "size", kilobytes(m.Bytes), "officer", officer)
}

// kilobytes is a length as people read it.
func kilobytes(n int) string { return strconv.Itoa((n+999)/1000) + " kB" }

// offered takes note of a medium's line in the thread.
func (t *turn) offered(e Offer, post PostID) {
	i := t.medium(e.Media)
	if i < 0 {
		t.do(Restate{Post: post, Text: t.officers("card.media.gone")})
		return
	}
	m := &t.s.Case.Media[i]
	m.Post = post
	if m.Stage == Offering {
		m.Stage = Offered
		t.sent()
		t.update()
	}
}

// unoffered answers a line that will not be in the thread.
func (t *turn) unoffered(e Offer, why Reason) {
	i := t.medium(e.Media)
	switch {
	case i < 0:
	case why == ReasonGone && t.active():
		t.reopen()
		t.do(e)
	default:
		t.s.Case.Media = slices.Delete(t.s.Case.Media, i, i+1)
		t.s.Case.Lost = true
		t.sent()
		t.show(true)
	}
}

// offerAgain puts the lines into the thread of a new card.
func (t *turn) offerAgain() {
	for _, m := range t.s.Case.Media {
		if m.Stage == Offered {
			t.offer(m)
		}
	}
}

// showMedium has a medium put into the thread: the first press counts.
func (t *turn) showMedium(ev Acted) {
	i := t.medium(MediaID(ev.Choice))
	if i < 0 || !t.active() || t.s.Case.Media[i].Stage != Offered {
		return
	}
	m := &t.s.Case.Media[i]
	m.Stage, m.Officer = Showing, ev.Officer
	t.audit(string(ev.Action), ev.Officer)
	t.record("officer:"+ev.Officer.Name, "shown", fmt.Sprintf("%s %d", m.Kind, m.Number))
	t.do(Present{Media: m.ID, Type: m.Type, Name: fmt.Sprintf("%s-%d", m.Kind, m.Number), Text: t.mediumLine(*m, "card.media.shown", "@"+ev.Officer.Name)})
}

// presented forgets what is in the thread now, and with that has it erased here.
func (t *turn) presented(e Present) {
	i := t.medium(e.Media)
	if i < 0 {
		return
	}
	m := t.s.Case.Media[i]
	t.s.Case.Media = slices.Delete(t.s.Case.Media, i, i+1)
	t.do(Restate{Post: m.Post, Text: t.mediumLine(m, "card.media.shown", "@"+m.Officer.Name)})
	t.update()
}

// unpresented lets the officers try again, unless there is nothing to try with.
func (t *turn) unpresented(e Present, why Reason) {
	i := t.medium(e.Media)
	switch {
	case i < 0:
	case why == ReasonLost:
		t.do(Restate{Post: t.s.Case.Media[i].Post, Text: t.officers("card.media.gone")})
		t.s.Case.Media = slices.Delete(t.s.Case.Media, i, i+1)
		t.update()
	default:
		t.s.Case.Media[i].Stage = Offered
		if why == ReasonGone {
			t.reopen()
			return
		}
		t.tell("card.media.not_shown")
	}
}

// permit sets whether photos and voice messages are taken in this case.
func (t *turn) permit(ev Acted) {
	c := t.s.Case
	c.Takes = ev.Choice == choiceMark
	c.TakesBy = ""
	if c.Takes {
		c.TakesBy = ev.Officer.Name
		return // The person sees it when they open the chat again.
	}
	t.show(true) // It may say that photos can be sent.
}

// mediaMenu returns what the card's menu offers about photos and voice messages.
// Families are not asked for any.
func (b *Book) mediaMenu(s State) (choice, label, confirm string) {
	switch {
	case s.Case.Takes:
		return choiceUndo, "card.media.refuse", ""
	case s.facts().Kind == kindFamily:
		return "", "", ""
	}
	return choiceMark, "card.media.allow", "card.media.confirm"
}

// mediaLine is what the card says about photos and voice messages, "" for
// nothing.
func (b *Book) mediaLine(s State) string {
	c := s.Case
	unseen := 0
	for _, m := range c.Media {
		if m.Stage == Offered || m.Stage == Showing {
			unseen++
		}
	}
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	switch count := strconv.Itoa(unseen); {
	case c.Takes && unseen > 0:
		return say("card.media.allowed", "officer", "@"+c.TakesBy) + " " + say("card.media.unseen", "count", count)
	case c.Takes:
		return say("card.media.allowed", "officer", "@"+c.TakesBy)
	case unseen > 0:
		return say("card.media.unseen", "count", count)
	}
	return ""
}

// mediaAt is when the oldest medium is dropped, zero without one.
func (b *Book) mediaAt(s State) time.Time {
	if s.Case == nil || len(s.Case.Media) == 0 {
		return time.Time{}
	}
	return b.policy.Media.after(s.Case.Media[0].At)
}

// dropMedia ends what the step left without a case that wants it, whose time is
// over, or that it took out of the state: whatever is not in the state any more
// is erased.
func (t *turn) dropMedia(before *Case) {
	after := t.s.Case
	if after != nil {
		old := func(m Medium) bool {
			over := after.Phase == Ended || !t.m.At.Before(t.book.policy.Media.after(m.At))
			if over && m.Post != "" {
				t.do(Restate{Post: m.Post, Text: t.officers("card.media.gone")})
			}
			if over && (m.Stage == Fetching || m.Stage == Offering) && after.Unsent > 0 {
				t.sent()
			}
			return over
		}
		kept := len(after.Media)
		after.Media = slices.DeleteFunc(after.Media, old)
		if len(after.Media) < kept && after.Phase != Ended {
			t.update()
		}
		after.Takes = after.Takes && after.Phase != Ended
	}
	if before == nil {
		return
	}
	for _, m := range before.Media {
		if after == nil || after.ID != before.ID || t.medium(m.ID) < 0 {
			if drop := Effect(Drop{Media: m.ID}); !slices.Contains(t.effects, drop) {
				t.do(drop)
			}
		}
	}
}
