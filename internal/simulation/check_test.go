package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"suar/flows"
	"suar/internal/caseid"
	"suar/internal/mattermosttest/standin"
	"suar/internal/seal"
	"suar/storage"
)

// checkStill checks that nothing waits any more once all is mended.
func (w *world) checkStill() {
	for range 4 {
		if w.waiting() == "" {
			break
		}
		w.run(5*time.Minute, nil)
	}
	if what := w.waiting(); what != "" && !w.blamed() {
		w.blame("long after all is mended, something waits: %s", what)
	}
}

// waiting names what has not come to its end.
func (w *world) waiting() string {
	for _, lane := range storage.Lanes() {
		if n, _, err := w.memory.Waiting(context.Background(), lane); err != nil || n > 0 {
			return "effects to the " + laneName(lane)
		}
	}
	if len(w.telegram.Pending()) > 0 {
		return "updates at Telegram"
	}
	for _, v := range w.conversations() {
		if c := v.state.Case; c != nil && (c.Unsent > 0 || c.Checking > 0 || c.Phase == flows.Opening) {
			return "words that are not in a thread"
		}
	}
	return ""
}

// checkBubbles checks that what people see is what is true now.
func (w *world) checkBubbles() {
	for i, p := range w.people {
		v := w.convOf(p.ID())
		if v == nil || p.shut {
			continue
		}
		if v.state.Shut {
			// Telegram told of the end of the chat after it told of the person's
			// return: until their next sign the chat counts as closed.
			w.met["a block that came late"]++
			continue
		}
		id, _ := v.state.Bubble()
		want := w.book.View(v.state, time.Now())
		// That photos are taken now is seen with the next sign.
		refused := v.state
		if refused.Case != nil {
			c := *refused.Case
			c.Takes = false
			refused.Case = &c
		}
		before := w.book.View(refused, time.Now())
		for _, m := range p.Chat() {
			if flows.MessageID(itoa(m.ID)) == id && want.Text != "" && strings.TrimSpace(m.Text) != strings.TrimSpace(want.Text) && strings.TrimSpace(m.Text) != strings.TrimSpace(before.Text) {
				w.blame("person%d sees\n%s\nand this is so:\n%s", i+1, m.Text, want.Text)
			}
			if !m.FromBot || !v.state.Left || v.seen().Screen != "" || time.Since(m.At) > 40*time.Hour {
				continue
			}
			if !v.known[m.ID] && w.harmed {
				// Its sending was cut off, and Telegram cannot be asked.
				w.met["message that nobody knows"]++
			} else {
				w.blame("person%d left, and message %d is still there", i+1, m.ID)
			}
		}
	}
}

// checkCalls checks that the officers go on being called while nobody
// acknowledges a case.
func (w *world) checkCalls() {
	var urgent []*conv
	for _, v := range w.open() {
		// Where a clock was wrong by hours and is set back, the calls are counted
		// from there once more.
		if v.state.Case.Phase == flows.Alerting && v.state.Urgent() && !(w.nature.jumps && w.nature.far) {
			urgent = append(urgent, v)
		}
	}
	if len(urgent) > 0 && !w.blamed() {
		before := w.calls()
		w.run(11*time.Minute, nil)
		after := w.calls()
		for _, v := range urgent {
			w.met["calls checked"]++
			if root := string(v.state.Case.Thread); after[root] <= before[root] {
				w.blame("nobody acknowledges case %s, and nobody is called", v.state.Case.ID.Code())
			}
		}
	}
	for _, r := range w.records() {
		if late := time.Since(r.Alarm); !r.Alarm.IsZero() && late > w.poll+10*time.Second {
			w.blame("an alarm is %v late", late)
		}
	}
}

// calls counts the calls in each thread.
func (w *world) calls() map[string]int {
	n := map[string]int{}
	for _, t := range w.cards() {
		for _, p := range t.Replies {
			if p.UserID == w.suar.id && strings.Contains(p.Text, w.book.OfficerText("card.page")[strings.Index(w.book.OfficerText("card.page"), "}")+1:][:12]) {
				n[t.Root.ID]++
			}
		}
	}
	return n
}

// checkEnd checks, when nothing is left, what became of all that was said.
func (w *world) checkEnd() {
	if w.blamed() {
		return
	}
	if what := w.waiting(); what != "" {
		w.blame("in the end something waits: %s", what)
	}
	kept := w.checkTranscripts()
	for _, p := range w.people {
		for _, s := range p.said {
			w.checkSaying(p, s, kept)
		}
	}
	for _, f := range w.postFaults() {
		w.blame("%s", f.what)
	}
	if n := len(w.facts.media); n > 0 {
		w.blame("%d photos or voice messages are kept for ever", n)
	}
	w.checkWithdrawn()
}

// checkSaying checks that a person's words are where officers find them.
func (w *world) checkSaying(p *person, s *saying, kept map[string]int) {
	n, m := kept[s.token], w.facts.relayed[s.token]
	switch {
	case w.facts.typed[s.token] && n == 0 && m == 0:
		w.met["answers of an intake that was left"]++
	case n == 0 && m <= 1 && w.taken(p, s):
		w.met["words of a case that was withdrawn"]++
	case n != 1:
		w.blame("person%d's %s is %d times in the transcripts and %d times in the threads", p.n, s.token, n, m)
	case m == 0 || m > 1 && len(w.facts.lostRoots) == 0:
		w.blame("person%d's %s is %d times in the threads", p.n, s.token, m)
	default:
		w.met["words arrived"]++
	}
}

// settleReplies gives the hotline time to tell of replies to cases that are no
// more: it waits three minutes for each, to be sure of it.
func (w *world) settleReplies() {
	for range 10 {
		if !slices.ContainsFunc(w.postFaults(), func(f postFault) bool { return !f.held }) {
			return
		}
		w.met["reply to a case that is no more"]++
		w.run(4*time.Minute, nil)
	}
}

// A postFault is an officer's post of which something is not as it must be in
// the end. held says that the officer sees that it waits.
type postFault struct {
	what string
	held bool
}

// postFaults checks every post of an officer.
func (w *world) postFaults() (all []postFault) {
	threads := map[string]standin.Thread{}
	for _, t := range w.mattermost.Snapshot(w.channel) {
		threads[t.Root.ID] = t
	}
	for _, p := range w.facts.posts {
		if t, ok := threads[p.root]; ok {
			if f := w.checkPost(p, t); f.what != "" {
				all = append(all, f)
			}
		}
	}
	return all
}

// checkPost checks that a reply reached the person, or that its officer sees
// that it did not.
func (w *world) checkPost(p *post, t standin.Thread) (f postFault) {
	i := slices.IndexFunc(t.Replies, func(x standin.Post) bool { return x.ID == p.id })
	if i < 0 {
		return f
	}
	signs := map[string]bool{}
	for _, r := range t.Replies[i].Reactions {
		if slices.Contains(r.By, w.suar.name) {
			signs[r.Emoji] = true
		}
	}
	shown := slices.ContainsFunc(p.tokens, func(token string) bool { _, ok := w.facts.shown[token]; return ok })
	shown = shown || w.heard(p)
	if signs["white_check_mark"] && !shown {
		f.what = "the officer is told that " + p.token + " is sent, and it never was"
		return f
	}
	if !p.reply || p.note || p.deleted || shown || signs["x"] {
		return f
	}
	for _, x := range t.Replies[i+1:] {
		for _, key := range []string{"card.reply_closed", "card.too_many", "card.mention", "card.edit_late", "card.undelivered.given_up", "card.undelivered.rejected"} {
			// What the desk makes inert in a line of ours is not as in the catalogue.
			told, _, _ := strings.Cut(w.book.OfficerText(key), "(")
			if x.UserID == w.suar.id && strings.Contains(x.Text, told) {
				return f
			}
		}
	}
	f.what = fmt.Sprintf("reply %s never reached the person, and nobody told the officer: %v", p.token, signs)
	f.held = signs["hourglass_flowing_sand"]
	return f
}

// heard reports whether the line that says that there is news came into a chat
// for a reply.
func (w *world) heard(p *post) bool {
	message, ok := w.facts.arrived[p.id]
	return ok && w.facts.news[message]
}

// checkTranscripts opens every transcript, and counts the tokens in them.
func (w *world) checkTranscripts() map[string]int {
	kept := map[string]int{}
	names, err := w.memory.Transcripts(context.Background(), "", 1000)
	if err != nil {
		w.blame("transcripts: %v", err)
	}
	witnesses := map[string][]string{}
	for _, t := range w.cards() {
		code := w.codeOf(t.Root.ID)
		witnesses[code] = append(witnesses[code], t.Root.Cards[0].Footer)
	}
	for _, name := range names {
		if name == "audit" {
			continue // The officers' trail is of no case.
		}
		w.met["transcripts"]++
		sealed, err := w.memory.Transcript(context.Background(), name)
		if err != nil {
			w.blame("transcript: %v", err)
			continue
		}
		id, err := caseid.Parse(name)
		if err != nil {
			w.blame("transcript: %v", err)
			continue
		}
		t, err := seal.ReadTranscript(id, sealed.Header, sealed.Entries, w.keys.identity)
		if err != nil {
			w.blame("transcript %s does not open: %v", id.Code(), err)
			continue
		}
		for _, f := range t.Faults {
			w.blame("transcript %s: %s", id.Code(), f.Kind)
		}
		for _, witness := range witnesses[id.Code()] {
			if err := t.Check(witness); err != nil {
				w.blame("the card's witness of %s: %v", id.Code(), err)
			}
		}
		last := map[string]string{}
		for _, e := range t.Entries {
			for _, token := range tokens.FindAllString(e.Text, -1) {
				kept[token]++
				who, seq, _ := strings.Cut(token, "x")
				if who[0] == 'p' && seq < last[who] {
					w.blame("transcript %s: %s comes after %s", id.Code(), token, last[who])
				} else {
					last[who] = seq
				}
			}
		}
	}
	return kept
}
