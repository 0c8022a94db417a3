package e2e

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"suar/internal/load"
	"suar/internal/telegramtest"
)

type message = telegramtest.Message

// texts is the catalogue that the persons of these tests read.
var texts = sync.OnceValues(func() (map[string]string, error) { return load.Words("en") })

// word is a text of the catalogue.
func word(key string) (string, error) {
	all, err := texts()
	if err != nil {
		return "", err
	}
	text, ok := all[key]
	if !ok {
		return "", fmt.Errorf("the catalogue has no %q", key)
	}
	return text, nil
}

// The ways through the intake, to a case. A step is an option of the book,
// "flow.screen.option", or a button that is no option, such as "ui.done@" or the
// language's name "name@", and the screen.
var (
	opening = []string{"name@consular.home", "consular.home.help", "opening.now.yes", "opening.notice.agree"}
	// danger has one press, and questions that can be answered while the alert
	// is on its way.
	danger  = []string{"name@consular.home", "consular.home.help", "opening.now.danger"}
	dangers = []string{"emergency.what.life", "emergency.where.bokeo", "emergency.authorities.ask"}
	victim  = append(slices.Clip(opening),
		"opening.need.me", "victim.citizen.yes", "victim.minor.no", "victim.free.permission", "victim.passport.agent",
		"victim.promised.partly", "victim.pay.yes", "victim.refuse.no", "victim.withheld.pay", "ui.done@victim.withheld",
		"ui.skip@victim.where", "victim.wish.talk", "victim.contact.any")
	family = append(slices.Clip(opening),
		"opening.need.family", "family.promise.understood", "family.relation.parent", "family.knows.knows", "family.last.month",
		"family.danger.unsure", "family.where.laos", "family.money.no", "family.minor.no", "type@family.name",
		"family.contact.here", "family.share.kemlu", "ui.done@family.share")
)

// A person is somebody with a telephone.
type person struct {
	*telegramtest.Person
	// types is what is typed where a question takes text.
	types string
	// checkWord is the check word that is set: it is asked for before the secrets
	// can be changed.
	checkWord string
}

// walk presses the steps' buttons one after the other, each when the bubble
// shows its question.
func (p *person) walk(ctx context.Context, steps ...string) error {
	for _, step := range steps {
		if err := p.step(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func (p *person) step(ctx context.Context, step string) error {
	button, screen, global := strings.Cut(step, "@")
	if !global {
		screen = step[:strings.LastIndex(step, ".")]
	}
	if button == "type" {
		if _, err := p.see(ctx, screen, ""); err != nil {
			return err
		}
		p.Say(p.types)
		return nil
	}
	label, err := word(button)
	if err != nil {
		return err
	}
	found, err := p.see(ctx, screen, label)
	if err != nil {
		return err
	}
	return p.press(found, label)
}

// see waits for the bubble with a question and a button.
func (p *person) see(ctx context.Context, screen, label string) (message, error) {
	question, err := word(screen)
	if err != nil {
		return message{}, err
	}
	var found message
	chat, err := p.Wait(ctx, func(chat []message) bool {
		for _, m := range slices.Backward(chat) {
			if m.FromBot && contains(m.Text, question) && (label == "" || data(m, label) != "") {
				found = m
				return true
			}
		}
		return false
	})
	if err != nil {
		return found, fmt.Errorf("waiting for %q with %q: %w; the chat is %s", screen, label, err, shown(chat))
	}
	return found, nil
}

// press presses the button with the label, ticked or not.
func (p *person) press(m message, label string) error {
	return p.Press(data(m, label), m.ID)
}

// data is what a button sends back, empty if there is no such button.
func data(m message, label string) string {
	for _, row := range m.Buttons {
		for _, b := range row {
			if strings.TrimLeft(b.Label, "☐☑ ") == label {
				return b.Data
			}
		}
	}
	return ""
}

// hear waits until the chat holds a text of the catalogue or an officer's words,
// and opens the replies that come meanwhile.
func (p *person) hear(ctx context.Context, part string) error {
	open, err := word("ui.open")
	if err != nil {
		return err
	}
	var chat []message
	opened := map[int]bool{}
	for heard := false; err == nil && !heard; {
		var news []message
		chat, err = p.Wait(ctx, func(chat []message) bool {
			heard, news = false, nil
			for _, m := range chat {
				switch {
				case m.FromBot && contains(m.Text, part):
					heard = true
				case m.FromBot && data(m, open) != "" && !opened[m.ID]:
					news = append(news, m)
				}
			}
			return heard || len(news) > 0
		})
		for _, m := range news {
			if !heard && err == nil {
				opened[m.ID] = true
				err = p.press(m, open)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("waiting for %q: %w; the chat is %s", part, err, shown(chat))
	}
	return nil
}

// empty waits until nothing is in the chat.
func (p *person) empty(ctx context.Context) error {
	chat, err := p.Wait(ctx, func(chat []message) bool { return len(chat) == 0 })
	if err != nil {
		return fmt.Errorf("waiting for an empty chat: %w; the chat is %s", err, shown(chat))
	}
	return nil
}

// keepSecret types a secret on a screen of the settings, from the case's screen
// and back.
func (p *person) keepSecret(ctx context.Context, screen, secret string) error {
	if err := p.walk(ctx, "case.talk.more", "case.more.word"); err != nil {
		return err
	}
	if p.checkWord != "" {
		p.types = p.checkWord
		if err := p.walk(ctx, "type@case.ask"); err != nil {
			return err
		}
	}
	p.types = secret
	set := map[string]string{"word_set": "case.word.set", "phrase_set": "case.word.phrase"}[screen]
	if err := p.walk(ctx, set, "type@case."+screen); err != nil {
		return err
	}
	if err := p.hearKey(ctx, "ui.secret_kept"); err != nil {
		return err
	}
	if screen == "word_set" {
		p.checkWord = secret
	}
	return p.walk(ctx, "case.word.back", "case.more.back")
}

// digits are a receipt code as it is shown.
var digits = regexp.MustCompile(`\b[0-9]{4}(?: [0-9]{4}){3}\b`)

// receipt gets a receipt code of digits, from the case's screen and back.
func (p *person) receipt(ctx context.Context) (string, error) {
	if err := p.walk(ctx, "case.talk.more", "case.more.code", "case.code.digits"); err != nil {
		return "", err
	}
	var code string
	chat, err := p.Wait(ctx, func(chat []message) bool {
		for _, m := range chat {
			if m.FromBot && digits.MatchString(m.Text) {
				code = digits.FindString(m.Text)
			}
		}
		return code != ""
	})
	if err != nil {
		return "", fmt.Errorf("waiting for a receipt code: %w; the chat is %s", err, shown(chat))
	}
	done, err := word("case.ticket.done")
	if err != nil {
		return "", err
	}
	return code, p.Press(done, 0)
}

// hearKey is hear of a text of the catalogue.
func (p *person) hearKey(ctx context.Context, key string) error {
	text, err := word(key)
	return errors.Join(err, p.hear(ctx, text))
}

// shown is a chat for a message about it.
func shown(chat []message) string {
	var b strings.Builder
	for _, m := range chat {
		who := "person"
		if m.FromBot {
			who = "bot"
		}
		fmt.Fprintf(&b, "\n\t%d %s: %q %v", m.ID, who, m.Text, m.Buttons)
	}
	return b.String()
}

// attended waits until the person is told of an officer. The words before may be
// known to be read, to be there, or not yet that much: the outcome of passing them
// on can be recorded after the officer's press.
func (p *person) attended(ctx context.Context) error {
	var all []string
	for _, key := range []string{"ui.status.claimed", "ui.status.has", "ui.status.read"} {
		text, err := word(key)
		if err != nil {
			return err
		}
		all = append(all, text)
	}
	chat, err := p.Wait(ctx, func(chat []message) bool {
		return slices.ContainsFunc(chat, func(m message) bool {
			return m.FromBot && slices.ContainsFunc(all, func(text string) bool { return contains(m.Text, text) })
		})
	})
	if err != nil {
		return fmt.Errorf("waiting for an officer: %w; the chat is %s", err, shown(chat))
	}
	return nil
}
