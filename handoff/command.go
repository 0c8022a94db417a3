package handoff

import (
	"context"
	"errors"
	"strings"
	"unicode"

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

// commanded takes a command in a thread: it is handed over to nobody.
func (d *Desk) commanded(ctx context.Context, c change, _ string) error {
	p, err := d.where(ctx)
	if err != nil {
		return err
	}
	err = d.mark(ctx, p, flows.Mark{Post: flows.PostID(c.post.Id), Sign: flows.SignNote})
	if failure, ok := errors.AsType[*engine.Failure](err); ok && failure.Final {
		return nil // The post is gone, or the bot may not mark it.
	}
	return err
}
