package bot

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/go-telegram/bot/models"
)

// decodePress reads what is needed of an update that is a press and nothing
// else; it returns nil for what is to be decoded in full. The library's types
// decode all of the message that the button is under, four times over, and most
// updates are presses. What is not needed is not looked at.
func decodePress(raw []byte) *models.Update {
	var p struct{ id, query, message, edited []byte }
	var q struct{ id, from, message, data []byte }
	var from struct{ id, bot []byte }
	switch {
	case !pick(raw, want{"update_id", &p.id}, want{"callback_query", &p.query}, want{"message", &p.message}, want{"edited_message", &p.edited}),
		p.id == nil, p.query == nil, p.message != nil, p.edited != nil,
		!pick(p.query, want{"id", &q.id}, want{"from", &q.from}, want{"message", &q.message}, want{"data", &q.data}),
		!pick(q.from, want{"id", &from.id}, want{"is_bot", &from.bot}):
		return nil
	}
	u := &models.Update{CallbackQuery: new(models.CallbackQuery)}
	var ok [4]bool
	u.ID, ok[0] = integer(p.id)
	u.CallbackQuery.ID, ok[1] = text(q.id)
	u.CallbackQuery.From.ID, ok[2] = integer(from.id)
	u.CallbackQuery.Data, ok[3] = text(q.data)
	switch string(from.bot) {
	case "true":
		u.CallbackQuery.From.IsBot = true
	case "false", "":
	default:
		return nil
	}
	if ok != [4]bool{true, true, true, true} {
		return nil
	}
	if q.message == nil {
		return u
	}
	var m struct{ id, chat []byte }
	var chat struct{ id, kind []byte }
	if !pick(q.message, want{"message_id", &m.id}, want{"chat", &m.chat}) || !pick(m.chat, want{"id", &chat.id}, want{"type", &chat.kind}) {
		return nil
	}
	id, ok0 := integer(m.id)
	chatID, ok1 := integer(chat.id)
	kind, ok2 := text(chat.kind)
	if !ok0 || !ok1 || !ok2 {
		return nil
	}
	u.CallbackQuery.Message.InaccessibleMessage = &models.InaccessibleMessage{
		Chat: models.Chat{ID: chatID, Type: models.ChatType(kind)}, MessageID: int(id),
	}
	return u
}

// A want is a member of an object that is wanted: its name, and where its value
// goes.
type want struct {
	name  string
	value *[]byte
}

// pick reads members of an object. It is false if that is not one, or not in the
// plainest form: if a name is there twice, or in another case, which decoders do
// not agree about, or is not ASCII.
func pick(object []byte, wanted ...want) bool {
	plain := true
	whole := members(object, func(key, value []byte) bool {
		key = key[1 : len(key)-1]
		for _, c := range key {
			if c == '\\' || c >= utf8.RuneSelf {
				plain = false
				return false
			}
		}
		for _, w := range wanted {
			switch {
			case len(key) != len(w.name):
			case string(key) == w.name && *w.value == nil:
				*w.value = value
			case bytes.EqualFold(key, []byte(w.name)):
				plain = false
			}
		}
		return plain
	})
	return whole && plain
}

// text reads a string.
func text(b []byte) (s string, ok bool) {
	if len(b) < 2 || b[0] != '"' {
		return "", false
	}
	inner := b[1 : len(b)-1]
	for _, c := range inner {
		if c < ' ' || c == '\\' || c == '"' || c >= utf8.RuneSelf {
			return s, json.Unmarshal(b, &s) == nil
		}
	}
	return string(inner), true
}
