package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"suar/internal/mattermosttest/standin"
	"suar/internal/telegramtest"
)

// What is said in the script. The words are looked for in the server's files
// afterwards.
const (
	personSays    = "They move us tonight, please hurry."
	officerSays   = "I am Siti of the embassy. Are you safe to write?"
	officerNotes  = "// Budi calls the police as soon as she agrees."
	personAnswers = "Yes, but only for some minutes."
)

// patience is how long the script waits for what must come.
const patience = 30 * time.Second

// Script plays a whole case through the real parts and writes what a person and
// an officer see, line by line: danger, a claim, words both ways, a note, the
// end, the transcript opened with the officer's key, and a search for every
// word in what the server wrote. It returns what was expected when something
// is not as it should be.
func Script(ctx context.Context, c Commands, out io.Writer) (err error) {
	h, err := Start(ctx, c, "en")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	s := &script{h: h, ctx: ctx, out: out, phone: h.telegram.Person(firstPerson), siti: h.officers[0]}
	go func() { // What the script waits for cannot come once the hotline ended.
		select {
		case <-h.Served():
			stop()
		case <-ctx.Done():
		}
	}()
	err = s.play()
	stop()
	if err := errors.Join(err, h.Close()); err != nil {
		return err
	}
	if _, err := os.Stat(h.folder); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("expected that the demo's folder is erased; it is there: %w", err)
	}
	s.say("It is over: the folder with all of it is erased.")
	return s.err
}

// A script is a case under way. Its first deviation ends it.
type script struct {
	h     *Hotline
	ctx   context.Context
	out   io.Writer
	phone *telegramtest.Person
	siti  officer
	card  standin.Thread // as last seen
	err   error
}

func (s *script) play() error {
	steps := []func(){
		s.arrive, s.danger, s.answerQuestions, s.write, s.claim, s.reply, s.note, s.answerOfficer, s.end, s.open, s.search,
	}
	for _, step := range steps {
		if step(); s.err != nil {
			return s.err
		}
	}
	return nil
}

func (s *script) arrive() {
	s.say("— A person opens the chat.")
	s.phone.Start()
	s.shows("Information from the embassy.", "English")
	s.press("English")
	s.shows("Information from the embassy.", "Contact the embassy")
	s.press("Contact the embassy")
	s.shows("Is it OK to chat now?", "Danger now")
}

func (s *script) danger() {
	s.press("Danger now")
	s.cardHas("a card that can be claimed", func(c standin.Attachment) bool { return hasAction(c, "claim") })
	s.shows("A person has been alerted.", "Being moved or sold")
}

func (s *script) answerQuestions() {
	s.press("Being moved or sold")
	s.shows("Roughly where?", "Vientiane")
	s.press("Bokeo / Golden Triangle")
	s.shows("Shall we show emergency numbers?", "No")
	s.cardHas("the answers on the card", func(c standin.Attachment) bool {
		return hasField(c, "Being moved or sold") && hasField(c, "Bokeo / Golden Triangle")
	})
}

func (s *script) write() {
	s.say("phone    the person writes: " + personSays)
	s.phone.Say(personSays)
	s.thread(personSays, "")
	s.settled("A person has been alerted.")
	s.shows("A person has been alerted.", "No")
}

func (s *script) claim() {
	s.say("channel  siti presses [Claim]")
	s.try(s.siti.Press(s.ctx, s.card.Root.ID, "claim"))
	s.cardHas("the card says that siti has it", func(c standin.Attachment) bool {
		return !hasAction(c, "claim") && hasField(c, "With @siti")
	})
	s.shows("An officer has read your message.", "No")
}

func (s *script) reply() {
	s.say("channel  siti writes: " + officerSays)
	_, err := s.siti.Say(s.ctx, s.h.channel, s.card.Root.ID, officerSays)
	s.try(err)
	s.shows("There is news.", "Open")
	s.press("Open")
	s.shows(officerSays, "Delete")
	s.thread(officerSays, "white_check_mark")
}

func (s *script) note() {
	s.say("channel  siti notes: " + officerNotes)
	_, err := s.siti.Say(s.ctx, s.h.channel, s.card.Root.ID, officerNotes)
	s.try(err)
	s.thread(officerNotes, "lock")
}

func (s *script) answerOfficer() {
	s.say("phone    the person writes: " + personAnswers)
	s.phone.Say(personAnswers)
	s.thread(personAnswers, "")
	for _, m := range s.phone.Chat() {
		if strings.Contains(m.Text, "police") {
			s.fail("that the note stays among the officers", m.Text)
		}
	}
}

func (s *script) end() {
	notices, done := s.h.mattermost.Notices(s.siti.id)
	defer done()
	s.say("channel  siti presses [Close]")
	s.try(s.siti.Press(s.ctx, s.card.Root.ID, "close"))
	if s.err != nil {
		return
	}
	late, stop := context.WithTimeout(s.ctx, patience)
	defer stop()
	var d *standin.Dialog
	for d == nil {
		select {
		case n := <-notices:
			d = n.Dialog
		case <-late.Done():
			s.fail("a dialog that asks siti before it closes the case", "none")
			return
		}
	}
	s.say("         " + d.Introduction + " [" + d.SubmitLabel + "]")
	faults, _, err := s.h.answer(s.ctx, s.siti, d, nil)
	s.try(err)
	for _, fault := range faults {
		s.fail("a dialog that is taken", fault)
	}
	s.cardHas("a closed card, without a button", func(c standin.Attachment) bool {
		return len(c.Actions) == 0 && hasField(c, "Closed by @siti")
	})
	s.shows("The officer has closed this conversation.", "Write to us again")
}

func (s *script) open() {
	kept, err := s.h.Kept()
	s.try(err)
	if s.err == nil && len(kept.Cases) != 1 {
		s.fail("one case in the store", fmt.Sprint(kept.Cases))
	}
	if s.err != nil {
		return
	}
	o, err := s.h.Open(s.ctx, kept.Cases[0])
	s.try(err)
	s.say("— The case is opened with siti's key.")
	s.say("$ " + o.Command)
	s.say(strings.TrimSpace(o.Output + o.Faults))
	if o.Exit != 0 {
		s.fail("exit code 0 of suar open", fmt.Sprint(o.Exit))
	}
	for _, text := range []string{
		"Being moved or sold", personSays, officerSays, strings.TrimPrefix(officerNotes, "// "), personAnswers, "officer:siti (closed)",
		"are unchanged, in order and without a gap", "fits",
	} {
		if !strings.Contains(o.Output, text) {
			s.fail("in the transcript: "+text, "that it is not there")
		}
	}
}

// search looks for what was said in what the server wrote, and for comparison in
// what Mattermost keeps: a search that finds nothing anywhere proves nothing.
func (s *script) search() {
	words := strings.FieldsFunc(personSays+" "+officerSays+" "+officerNotes+" "+personAnswers, func(r rune) bool {
		return strings.ContainsRune(" ,.?/", r)
	})
	words = append(words, personSays, officerSays, officerNotes, personAnswers)
	n, total, elsewhere := 0, 0, 0
	for _, word := range words {
		if len(word) <= shortest {
			continue // It could be in the log for another reason.
		}
		f, err := s.h.Find(word, s.phone.ID())
		s.try(err)
		if s.err != nil {
			return
		}
		n, total, elsewhere = n+1, total+f.Total, elsewhere+min(1, f.Mattermost)
		if f.Mattermost == 0 {
			s.fail("that Mattermost, which everything passes through, holds "+word, "that it does not")
		}
		if f.Total != 0 {
			s.fail("that no file of the server holds "+word, fmt.Sprintf("%d hits", f.Total))
		}
	}
	s.say("— What the server wrote is searched: as text, base64, hexadecimal and UTF-16.")
	s.say(fmt.Sprintf("server   %d words and sentences of what was said: %d hits. (Mattermost's own database holds %d of them.)", n, total, elsewhere))
}

// say writes what is seen.
func (s *script) say(text string) {
	if s.err == nil {
		_, s.err = fmt.Fprintln(s.out, text)
	}
}

// fail is the first deviation.
func (s *script) fail(expected, got string) {
	if s.err == nil {
		s.err = fmt.Errorf("expected %s; got %s", expected, got)
	}
}

func (s *script) try(err error) {
	if s.err == nil {
		s.err = err
	}
}

// press presses a button on the phone.
func (s *script) press(label string) {
	s.say("phone    the person presses [" + label + "]")
	if s.err == nil {
		s.err = s.phone.Press(label, 0)
	}
}

// settled waits until the latest message is the bot's and says so: what the person
// wrote before is known to be in the thread.
func (s *script) settled(text string) {
	if s.err != nil {
		return
	}
	ctx, stop := context.WithTimeout(s.ctx, patience)
	defer stop()
	_, err := s.phone.Wait(ctx, func(chat []telegramtest.Message) bool {
		return len(chat) > 0 && chat[len(chat)-1].FromBot && strings.Contains(chat[len(chat)-1].Text, text)
	})
	if err != nil {
		s.fail("the bubble below the person's words", err.Error())
	}
}

// shows waits until the bot's latest message with the text has the button, and
// writes it.
func (s *script) shows(text, button string) {
	if s.err != nil {
		return
	}
	ctx, stop := context.WithTimeout(s.ctx, patience)
	defer stop()
	var seen telegramtest.Message
	chat, err := s.phone.Wait(ctx, func(chat []telegramtest.Message) bool {
		for _, m := range chat {
			if m.FromBot && strings.Contains(m.Text, text) && strings.Contains(keys(m), "["+button+"]") {
				seen = m
				return true
			}
		}
		return false
	})
	if err != nil {
		var all []string
		for _, m := range chat {
			all = append(all, fmt.Sprintf("%q %s", m.Text, keys(m)))
		}
		s.fail(fmt.Sprintf("on the phone: %q with the button [%s]", text, button), strings.Join(all, ", "))
		return
	}
	s.say("phone    " + indent(seen.Text))
	for _, row := range seen.Buttons {
		s.say("         " + keys(telegramtest.Message{Buttons: [][]telegramtest.Button{row}}))
	}
}

// keys are a message's buttons in a line.
func keys(m telegramtest.Message) string {
	var all []string
	for _, row := range m.Buttons {
		for _, b := range row {
			all = append(all, "["+b.Label+"]")
		}
	}
	return strings.Join(all, " ")
}

// indent puts the lines of a text below each other, without empty ones.
func indent(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n         ")
}

// cardHas waits until the case's card is as it should be, and writes it.
func (s *script) cardHas(what string, ok func(standin.Attachment) bool) {
	s.channelHas(what, func(t standin.Thread) bool { return ok(t.Root.Cards[0]) })
	if s.err != nil {
		return
	}
	s.say("channel  " + strings.ReplaceAll(s.card.Root.Text, "**", ""))
	for _, f := range s.card.Root.Cards[0].Fields {
		s.say("         " + f.Title + ": " + visible(f.Value))
	}
	var actions []string
	for _, a := range s.card.Root.Cards[0].Actions {
		actions = append(actions, "["+a.Name+"]")
	}
	if len(actions) > 0 {
		s.say("         " + strings.Join(actions, " "))
	}
}

// thread waits until the text is in the thread, with the sign if there should
// be one, and writes it.
func (s *script) thread(text, sign string) {
	var line string
	s.channelHas(fmt.Sprintf("in the thread: %q %s", text, sign), func(t standin.Thread) bool {
		for _, p := range t.Replies {
			if strings.Contains(visible(p.Text), text) && (sign == "" || hasReaction(p, sign)) {
				line = p.Author + ": " + visible(p.Text)
				return true
			}
		}
		return false
	})
	if sign != "" {
		line += "  (:" + sign + ":)"
	}
	s.say("channel  " + line)
}

// channelHas waits until the case's thread is as it should be.
func (s *script) channelHas(what string, ok func(standin.Thread) bool) {
	if s.err != nil {
		return
	}
	ctx, stop := context.WithTimeout(s.ctx, patience)
	defer stop()
	changes, done := s.h.mattermost.Changes()
	defer done()
	for {
		for _, t := range s.h.mattermost.Snapshot(s.h.channel) {
			if len(t.Root.Cards) == 0 {
				continue
			}
			if s.card = t; ok(t) {
				return
			}
		}
		select {
		case <-changes:
		case <-ctx.Done():
			s.fail(what, fmt.Sprintf("%+v", s.card))
			return
		}
	}
}

// visible is a post's text as an officer sees it: without what keeps Mattermost
// from making markup or a mention of it.
func visible(text string) string {
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\u2060", ""), "> ")
	return strings.ReplaceAll(text, `\`, "")
}

func hasAction(c standin.Attachment, id string) bool {
	return slices.ContainsFunc(c.Actions, func(a standin.Action) bool { return a.ID == id })
}

func hasField(c standin.Attachment, part string) bool {
	return slices.ContainsFunc(c.Fields, func(f standin.Field) bool { return strings.Contains(visible(f.Value), part) })
}

func hasReaction(p standin.Post, emoji string) bool {
	return slices.ContainsFunc(p.Reactions, func(r standin.Reaction) bool { return r.Emoji == emoji })
}
