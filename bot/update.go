package bot

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/go-telegram/bot/models"

	"suar/flows"
	"suar/internal/engine"
)

// allowed are the kinds of updates that we ask for.
var allowed = [...]string{ //nolint:gochecknoglobals // A list that nothing changes.
	models.AllowedUpdateMessage,
	models.AllowedUpdateEditedMessage,
	models.AllowedUpdateCallbackQuery,
	models.AllowedUpdateMyChatMember,
}

// Event says what an update means to the engine; ok is false if it means
// nothing: it is of a group or a channel, of a bot, or of no interest. It is
// pure, and the one place where a person's profile could be seen: names, user
// names, pictures, languages, files' names, numbers and places are dropped here.
func Event(u *models.Update) (in engine.Inbound, ok bool) {
	chat, ev := event(u)
	if ev == nil {
		return engine.Inbound{}, false
	}
	return inbound(u.ID, chat, ev), true
}

func inbound(id, chat int64, ev flows.Event) engine.Inbound {
	caller := strconv.FormatInt(chat, 10)
	return engine.Inbound{
		Name:   "tg:" + caller,
		ID:     "tg:" + strconv.FormatInt(id, 10),
		Caller: caller,
		Event:  ev,
	}
}

func event(u *models.Update) (chat int64, ev flows.Event) {
	switch {
	case u.Message != nil:
		if !personal(u.Message) {
			return 0, nil
		}
		return u.Message.Chat.ID, written(u.Message)
	case u.EditedMessage != nil:
		if !personal(u.EditedMessage) {
			return 0, nil
		}
		return u.EditedMessage.Chat.ID, edited(u.EditedMessage)
	case u.CallbackQuery != nil:
		return pressed(u.CallbackQuery)
	case u.MyChatMember != nil:
		m := u.MyChatMember
		if private(m.Chat) && m.From.ID == m.Chat.ID && m.NewChatMember.Type == models.ChatMemberTypeBanned {
			return m.Chat.ID, flows.Blocked{}
		}
	}
	return 0, nil
}

func private(c models.Chat) bool { return c.Type == models.ChatTypePrivate && c.ID > 0 }

// personal says that a message is a person's own, in the chat with the bot.
func personal(m *models.Message) bool {
	return private(m.Chat) && m.From != nil && !m.From.IsBot && m.From.ID == m.Chat.ID && m.SenderChat == nil
}

func messageID(id int) flows.MessageID { return flows.MessageID(strconv.Itoa(id)) }

// written reads a new message.
func written(m *models.Message) flows.Event {
	id := messageID(m.ID)
	if m.Text != "" {
		text := clean(m.Text)
		if strings.TrimSpace(text) == "" {
			return flows.Garbled{Message: id}
		}
		// What was said elsewhere is evidence, not an order.
		if m.ForwardOrigin == nil {
			if ev := command(id, text); ev != nil {
				return ev
			}
		}
		return flows.Said{Message: id, Text: text}
	}
	if media := mediaOf(m); media != "" {
		ev := flows.Attached{Message: id, Media: media, Caption: clean(m.Caption)}
		ev.File, ev.Size = fileOf(m)
		return ev
	}
	if service(m) {
		return nil
	}
	// Something that a newer Telegram knows and this program does not.
	return flows.Garbled{Message: id}
}

// command reads what a person can ask for at any time. What else begins with a
// slash is free text: a human reads it.
func command(id flows.MessageID, text string) flows.Event {
	text = strings.TrimSpace(text)
	if strings.EqualFold(strings.TrimRight(text, ".!, "), "hapus") {
		return flows.Asked{Message: id, What: flows.AskDelete}
	}
	word, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil
	}
	word, _, _ = strings.Cut(word, " ")
	word, _, _ = strings.Cut(word, "\n")
	word, _, _ = strings.Cut(word, "@")
	switch strings.ToLower(strings.TrimRight(word, ".!,")) {
	case "start":
		return flows.Started{Message: id}
	case "delete", "hapus":
		return flows.Asked{Message: id, What: flows.AskDelete}
	case "privacy", "privasi":
		return flows.Asked{Message: id, What: flows.AskPrivacy}
	case "bahasa", "language":
		return flows.Asked{Message: id, What: flows.AskLanguage}
	}
	return nil
}

// mediaOf says what is attached; empty for nothing that a person sends.
func mediaOf(m *models.Message) flows.Media {
	switch {
	case m.Photo != nil:
		return flows.MediaPhoto
	case m.Video != nil, m.VideoNote != nil, m.Animation != nil:
		return flows.MediaVideo
	case m.Voice != nil, m.Audio != nil:
		return flows.MediaVoice
	case m.Sticker != nil:
		return flows.MediaSticker
	case m.Document != nil:
		return flows.MediaFile
	case m.Contact != nil:
		return flows.MediaContact
	case m.Location != nil, m.Venue != nil:
		return flows.MediaLocation
	case m.PaidMedia != nil, m.Story != nil, m.Checklist != nil, m.Dice != nil, m.Game != nil,
		m.Poll != nil, m.Invoice != nil, m.RichMessage != nil, m.Gift != nil, m.UniqueGift != nil,
		m.PassportData != nil, m.UsersShared != nil, m.ChatShared != nil, m.WebAppData != nil:
		return flows.MediaOther
	}
	return ""
}

// service says that a message tells of the chat and holds nothing of a
// person's.
func service(m *models.Message) bool {
	return m.MessageAutoDeleteTimerChanged != nil || m.PinnedMessage != nil || m.ChatBackgroundSet != nil ||
		m.WriteAccessAllowed != nil || m.ConnectedWebsite != "" || m.SuccessfulPayment != nil ||
		m.RefundedPayment != nil || m.GiftUpgradeSent != nil || m.BoostAdded != nil ||
		m.ProximityAlertTriggered != nil || m.ForumTopicCreated != nil || m.ForumTopicEdited != nil ||
		m.ForumTopicClosed != nil || m.ForumTopicReopened != nil
}

// edited reads a new wording. A place that moves is an edit, too, and of no
// interest.
func edited(m *models.Message) flows.Event {
	text := m.Text
	if text == "" {
		text = m.Caption
	}
	if text = clean(text); text == "" {
		return nil
	}
	return flows.Edited{Message: messageID(m.ID), Text: text}
}

// pressed reads a press under one of our messages in the person's own chat. A
// press under a message that came by an inline bot, or in another chat, is
// none.
func pressed(q *models.CallbackQuery) (int64, flows.Event) {
	var chat models.Chat
	var id int
	switch {
	case q.Message.Message != nil:
		chat, id = q.Message.Message.Chat, q.Message.Message.ID
	case q.Message.InaccessibleMessage != nil:
		chat, id = q.Message.InaccessibleMessage.Chat, q.Message.InaccessibleMessage.MessageID
	}
	if !private(chat) || q.From.IsBot || q.From.ID != chat.ID {
		return 0, nil
	}
	return chat.ID, flows.Chose{Message: messageID(id), Data: clean(q.Data)}
}

// A received is an update as it came.
type received struct {
	id   int64 // 0 if it could not be read
	raw  json.RawMessage
	kind string // for logs: one of the kinds above, "other" or "garbled"
	// in is the event; mute says that there is none.
	in   engine.Inbound
	mute bool
	// broken says that the update is for the quarantine.
	broken bool
	// query is the press to acknowledge, if any.
	query string
}

// read decodes one update. It never fails: what cannot be decoded is broken,
// with the event Garbled if it can be seen whose it is.
func read(raw json.RawMessage) (r received) {
	r.raw = raw
	id, hasID := integer(member(raw, "update_id"))
	r.id = id
	u, err := decode(raw)
	if err != nil || !hasID || id != u.ID {
		return garble(r)
	}
	r.kind = "other"
	switch {
	case u.Message != nil:
		r.kind = "message"
	case u.EditedMessage != nil:
		r.kind = "edited_message"
	case u.CallbackQuery != nil:
		r.kind, r.query = "callback_query", u.CallbackQuery.ID
	case u.MyChatMember != nil:
		r.kind = "my_chat_member"
	}
	in, ok := Event(u)
	r.in, r.mute = in, !ok
	return r
}

var errUnreadable = errors.New("bot: unreadable update")

// decode decodes an update. A panic of a decoder is an error like another.
func decode(raw []byte) (u *models.Update, err error) {
	defer func() {
		if recover() != nil {
			u, err = nil, errUnreadable
		}
	}()
	if u := decodePress(raw); u != nil {
		return u, nil
	}
	u = new(models.Update)
	if json.Unmarshal(raw, u) != nil {
		return nil, errUnreadable
	}
	return u, nil
}

// garble makes an update one for the quarantine. Whose it is may still be seen
// by looking at nothing but the chat.
func garble(r received) received {
	r.kind, r.broken, r.mute, r.query = "garbled", true, true, ""
	for _, kind := range allowed {
		content := member(r.raw, kind)
		if content == nil || kind == models.AllowedUpdateMyChatMember {
			continue // the latter says nothing of the person's
		}
		if kind == models.AllowedUpdateCallbackQuery {
			content = member(content, "message")
		}
		chat := member(content, "chat")
		id, ok := integer(member(chat, "id"))
		if !ok || id <= 0 || string(member(chat, "type")) != `"private"` || r.id == 0 {
			continue
		}
		var ev flows.Garbled
		if n, ok := integer(member(content, "message_id")); ok && kind != models.AllowedUpdateCallbackQuery {
			ev.Message = flows.MessageID(strconv.FormatInt(n, 10))
		}
		r.in, r.mute = inbound(r.id, id, ev), false
		break
	}
	return r
}
