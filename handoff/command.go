package handoff

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// commandWord begins what an officer says to the hotline and not to a person.
const commandWord = "suar"

// commandOf returns what stands behind "!suar" in a text, and whether a line of it
// begins so, in any case. Such a text is never for a person, whatever else it says.
// "/suar" counts as well: with a space before it, or where no administrator
// registered the command, a client may send it as words.
func commandOf(text string) (words string, is bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimLeftFunc(line, isPadding)
		if rest, ok := strings.CutPrefix(line, "!"); ok {
			line = rest
		} else if rest, ok := strings.CutPrefix(line, "/"); ok {
			line = rest
		} else if rest, ok := strings.CutPrefix(line, "！"); ok { // As some keyboards write it.
			line = rest
		} else {
			continue
		}
		line = strings.TrimLeftFunc(line, isPadding)
		if len(line) >= len(commandWord) && strings.EqualFold(line[:len(commandWord)], commandWord) {
			return strings.TrimSpace(line[len(commandWord):]), true
		}
	}
	return "", false
}

// isPadding reports whether a rune before a command is nothing that an officer
// meant: space, what is not drawn, or Markdown's marks for code, bold and quotes.
func isPadding(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("`*_~>\\", r)
}

// commandLife is how late a command in a thread is still answered, one that was
// written while nobody listened.
const commandLife = 10 * time.Minute

// commanded takes a command in a thread: it is answered there, once, and handed over
// to nobody.
func (d *Desk) commanded(ctx context.Context, p place, c change, words string, officer flows.Officer) error {
	err := d.mark(ctx, p, flows.Mark{Post: flows.PostID(c.post.Id), Sign: flows.SignNote})
	if err == nil && d.Now().Sub(time.UnixMilli(c.post.CreateAt)) < commandLife {
		dl := commandDelivery(c)
		_, err = d.once(ctx, p, dl, func() (*model.Post, error) {
			text := d.answer(ctx, p, asking{officer: officer, words: words, id: "post:" + c.post.Id})
			return d.newPost(p, dl, 0, text), nil
		})
	}
	if failure, ok := errors.AsType[*engine.Failure](err); ok && failure.Final {
		return nil // The post is gone, or the bot may not mark it.
	}
	return err
}

// commandDelivery is the answer to a command in a thread, as a delivery that may have
// been made before.
func commandDelivery(c change) engine.Delivery {
	return engine.Delivery{ID: "command:" + c.post.Id, Thread: flows.PostID(c.root()), Tries: 2}
}

// wasCommand reports whether a post that was edited was answered as a command: what
// it says now concerns no person, and the engine does not know it.
func (d *Desk) wasCommand(ctx context.Context, p place, c change) (bool, error) {
	keys, err := d.keysInThread(ctx, p, flows.PostID(c.root()))
	return keys[d.relayKey(commandDelivery(c).ID, 0)] != "", err
}
