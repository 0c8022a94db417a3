package simulation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"suar/bot"
	"suar/flows"
	"suar/internal/caseid"
	"suar/internal/engine"
	"suar/internal/telegramtest"
	"suar/storage"
)

// keeping takes in what is attached as it came: the process that cleans it is
// another program, and not played.
func keeping(e *engine.Engine) func(context.Context, string, flows.Fetch, []byte) (flows.Held, error) {
	return func(ctx context.Context, conversation string, f flows.Fetch, raw []byte) (flows.Held, error) {
		if len(raw) == 0 {
			return flows.Held{}, bot.ErrUnsuited
		}
		if err := e.KeepMedia(ctx, conversation, f.Media, raw); err != nil {
			return flows.Held{}, err
		}
		kind := "image/jpeg"
		if f.Kind == flows.MediaVoice {
			kind = "audio/ogg"
		}
		sum := sha256.Sum256(raw)
		return flows.Held{Type: kind, Bytes: len(raw), Sum: hex.EncodeToString(sum[:])}, nil
	}
}

// confide types a secret where one is asked for, and now and then elsewhere. It
// reports whether it did.
func (p *person) confide() bool {
	w := p.world
	v := w.convOf(p.ID())
	if v == nil {
		return false
	}
	if p.word == "" {
		p.word, p.phrase = fmt.Sprint("soto ayam ", p.n), fmt.Sprint("hujan lagi ", p.n)
	}
	text := ""
	switch {
	case v.state.Screen == "case.word_set":
		text = p.word
	case v.state.Screen == "case.phrase_set":
		text = p.phrase
	case v.state.Screen == "return.number" && len(w.facts.codes) > 0:
		text = oneOf(w.schedule, w.facts.codes)
	case v.state.Screen == "case.ask", v.state.Screen == "return.question":
		text = oneOf(w.schedule, []string{p.word, p.word, p.phrase, w.people[0].word})
	case v.state.Case == nil:
		return false
	case v.state.Mask != nil && w.chance(300):
		text = p.word
	case v.state.Case.Phrase.Sum != "" && w.chance(60):
		text = p.phrase
	}
	if text == "" || w.chance(150) {
		return false
	}
	w.note("person%d types %q at %s", p.n, text, v.state.Screen)
	p.Say(text)
	return true
}

// committedItems takes note of what is typed for a secret: it is kept nowhere.
func (w *world) committedItems(items []storage.Item) {
	for _, i := range items {
		if i.Lane != storage.LaneKeeper {
			continue
		}
		var body struct {
			Effect struct {
				Kind   string
				Effect struct{ For, Text, Code string }
			}
		}
		plain, err := w.vault.Open("item", i.ID, i.Body)
		if err != nil || json.Unmarshal(plain, &body) != nil {
			w.blame("an item of the outbox does not open: %v", err)
			return
		}
		e := body.Effect.Effect
		switch body.Effect.Kind {
		case "look", "seek", "hash":
			w.types(e.Text + " " + e.Code)
		case "check":
			if strings.HasSuffix(e.For, "secret") || strings.HasSuffix(e.For, "answer") {
				w.types(e.Text)
			}
		}
	}
}

// types takes note of tokens that may never reach the officers as words.
func (w *world) types(text string) {
	for _, token := range tokens.FindAllString(text, -1) {
		w.facts.typed[token] = true
	}
}

// committedState takes note of what issue of codes, masks and withdrawals a
// state tells.
func (w *world) committedState(v *conv) {
	s := v.state
	if s.Code != "" && !slices.Contains(w.facts.codes, s.Code) {
		w.facts.codes = append(w.facts.codes, s.Code)
		w.met["code shown"]++
	}
	if s.Mask != nil {
		w.met["masked"]++
	}
	if s.Rest != nil {
		w.met["rested"]++
	}
	c := s.Case
	if c == nil {
		return
	}
	code := c.ID.Code()
	if !c.Moved.IsZero() {
		w.met["moved"]++
	}
	if _, ok := w.facts.withdrawn[code]; c.Withdrawn && !ok {
		w.facts.withdrawn[code] = time.Now()
		w.met["withdrawn"]++
	}
}

// taken reports whether a person's words may be nowhere because they were said
// before the consent to a case was withdrawn.
func (w *world) taken(p *person, s *saying) bool {
	if code, ok := w.facts.within[s.token]; ok {
		return !w.facts.withdrawn[code].IsZero()
	}
	v := w.convOf(p.ID())
	return v != nil && slices.ContainsFunc(v.cases, func(c span) bool {
		at := w.facts.withdrawn[c.code]
		return !at.IsZero() && !s.at.After(at)
	})
}

// checkWithdrawn checks that nothing is kept of a case to which the consent was
// withdrawn, and that the officers were told.
func (w *world) checkWithdrawn() {
	names, err := w.memory.Transcripts(context.Background(), "", 1000)
	if err != nil {
		w.blame("transcripts: %v", err)
	}
	for _, name := range names {
		if id, err := caseid.Parse(name); err == nil && !w.facts.withdrawn[id.Code()].IsZero() {
			w.blame("the transcript of %s is kept, and the consent was withdrawn", id.Code())
		}
	}
	told := w.book.OfficerText("card.withdrawn")
	for _, t := range w.cards() {
		code := w.codeOf(t.Root.ID)
		if w.facts.withdrawn[code].IsZero() {
			continue
		}
		n := 0
		for _, p := range t.Replies {
			if p.UserID == w.suar.id && strings.Contains(p.Text, told) {
				n++
			}
		}
		if n != 1 && len(w.facts.lostRoots) == 0 {
			w.blame("the officers are told %d times that the consent to %s was withdrawn", n, code)
		}
	}
}

// rest lets so much time go by that every chat folds back, and checks what is
// seen then.
func (w *world) rest() {
	if w.nature.jumps && w.nature.far {
		return // The hotline's clock follows a wrong one slowly.
	}
	for _, p := range w.processes {
		p.kill()
	}
	w.sleep(65 * time.Minute)
	w.restart = time.Now()
	w.run(3*time.Minute, nil)
	for i, p := range w.people {
		v := w.convOf(p.ID())
		if v == nil || p.shut || v.state.Shut || w.blamed() {
			continue
		}
		id, _ := v.state.Bubble()
		for _, m := range p.Chat() {
			known := v.known[m.ID] || !w.harmed
			bubble := flows.MessageID(itoa(m.ID)) == id
			line := w.texts.in(m.Text, "ui.news") && !tokens.MatchString(m.Text)
			switch {
			case time.Since(m.At) > 40*time.Hour:
			case bubble:
				w.met["cover seen at rest"]++
				s := v.state
				if s.Mask != nil {
					s = *s.Mask
				}
				if want := w.book.Cover(s.Language, s.Token, time.Now()); strings.TrimSpace(m.Text) != strings.TrimSpace(want.Text) || labels(m.Buttons) != viewLabels(want) {
					w.blame("person%d is away for an hour, and this is seen:\n%s\n%s\nnot the cover", i+1, m.Text, labels(m.Buttons))
				}
			case !known:
				w.met["message that nobody knows"]++
			case m.FromBot && v.state.Rest == nil && w.isCover(m.Text):
				// Its sending was cut off and it was sent again; a press beneath told
				// of it, and it shows what the bubble shows or showed before a
				// language was chosen.
				w.met["a second cover"]++
			case m.FromBot && !line:
				w.blame("person%d is away for an hour, and this is seen: %s", i+1, m.Text)
			case m.FromBot && v.state.Mask != nil:
				w.blame("person%d is masked, and this is seen: %s", i+1, m.Text)
			case !m.FromBot && v.state.Rest != nil && (v.state.Case == nil || !v.state.Case.Lost):
				w.blame("person%d is away for an hour, and their own message %d is seen: %s", i+1, m.ID, m.Text)
			}
		}
	}
}

// labels are what stands on the buttons of a message, viewLabels on those of a
// view.
func labels(rows [][]telegramtest.Button) string {
	var all []string
	for _, row := range rows {
		for _, b := range row {
			all = append(all, b.Label)
		}
		all = append(all, "")
	}
	return strings.Join(all, "|")
}

func viewLabels(v flows.View) string {
	var all []string
	for _, row := range v.Rows {
		for _, b := range row {
			all = append(all, b.Label)
		}
		all = append(all, "")
	}
	return strings.Join(all, "|")
}

// isCover reports whether a text is what a stranger sees, in any language.
func (w *world) isCover(text string) bool {
	return slices.ContainsFunc(append(w.book.Languages(), ""), func(language string) bool {
		return strings.TrimSpace(text) == strings.TrimSpace(w.book.Cover(language, "", time.Now()).Text)
	})
}
