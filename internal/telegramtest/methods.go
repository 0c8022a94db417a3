package telegramtest

import (
	"context"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Telegram's limits.
const (
	maxText     = 4096 // UTF-16 code units
	maxAnswer   = 200
	maxData     = 64 // bytes
	maxButtons  = 100
	deleteAfter = 48 * time.Hour
)

// A method performs one call.
type method = func(*Server, context.Context, params) (any, *apiError)

// methods returns the methods that this server performs.
func methods() map[string]method {
	return map[string]method{
		"getMe":                  func(s *Server, _ context.Context, _ params) (any, *apiError) { return s.me(), nil },
		"logOut":                 yes,
		"close":                  yes,
		"getUpdates":             getUpdates,
		"setWebhook":             setWebhook,
		"deleteWebhook":          deleteWebhook,
		"getWebhookInfo":         getWebhookInfo,
		"sendMessage":            sendMessage,
		"editMessageText":        editMessageText,
		"editMessageReplyMarkup": editMessageReplyMarkup,
		"deleteMessage":          deleteMessage,
		"deleteMessages":         deleteMessages,
		"answerCallbackQuery":    answerCallbackQuery,
		"sendChatAction":         sendChatAction,
		"getChat":                getChat,
		"getFile":                getFile,
		"setMyCommands":          setAccount("commands"),
		"deleteMyCommands":       deleteCommands,
		"getMyCommands":          getAccount("commands", []any{}),
		"setMyName":              setAccount("name"),
		"getMyName":              getAccount("name", ""),
		"setMyDescription":       setAccount("description"),
		"getMyDescription":       getAccount("description", ""),
		"setMyShortDescription":  setAccount("short_description"),
		"getMyShortDescription":  getAccount("short_description", ""),
		"setChatMenuButton":      yes,
	}
}

func yes(*Server, context.Context, params) (any, *apiError) { return true, nil }

func units(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// visible trims a text as Telegram does and says whether anything is left to
// see.
func visible(text string) (string, bool) {
	text = strings.TrimFunc(text, unicode.IsSpace)
	for _, r := range text {
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) {
			return text, true
		}
	}
	return text, false
}

// writable returns the chat if the bot may write to it.
func (s *Server) writable(p params) (*chat, *apiError) {
	c := s.chats[p.chat()]
	switch {
	case c == nil:
		return nil, bad("chat not found")
	case c.deactivated:
		return nil, &apiError{Code: 403, Description: "Forbidden: user is deactivated"}
	case c.blocked:
		return nil, &apiError{Code: 403, Description: "Forbidden: bot was blocked by the user"}
	case !c.open:
		return nil, &apiError{Code: 403, Description: "Forbidden: bot can't initiate conversation with a user"}
	}
	return c, nil
}

func checkText(text string, limit int) (string, *apiError) {
	if !utf8.ValidString(text) {
		return "", bad("strings must be encoded in UTF-8")
	}
	if units(text) > limit {
		return "", bad("message is too long")
	}
	text, ok := visible(text)
	if !ok {
		return "", bad("message text is empty")
	}
	return text, nil
}

// keyboard reads an inline keyboard; markup is nil if there is none to show.
func keyboard(p params) (buttons [][]Button, markup any, e *apiError) {
	m, _ := p["reply_markup"].(map[string]any)
	rows, ok := m["inline_keyboard"].([]any)
	if !ok {
		return nil, nil, nil
	}
	count := 0
	for _, r := range rows {
		cells, ok := r.([]any)
		if !ok {
			return nil, nil, bad("object expected as reply markup")
		}
		var row []Button
		for _, v := range cells {
			b, _ := v.(map[string]any)
			text := func(k string) string { t, _ := b[k].(string); return t }
			if text("text") == "" {
				return nil, nil, bad("field \"text\" of the InlineKeyboardButton is empty")
			}
			if _, has := b["callback_data"]; has {
				if n := len(text("callback_data")); n < 1 || n > maxData {
					return nil, nil, bad("BUTTON_DATA_INVALID")
				}
			} else if b["url"] == nil && b["copy_text"] == nil {
				return nil, nil, bad("Text buttons are unallowed in the inline keyboard")
			}
			row = append(row, Button{Label: text("text"), Data: text("callback_data"), Style: text("style")})
			count++
		}
		if len(row) > 0 {
			buttons = append(buttons, row)
		}
	}
	if count > maxButtons {
		return nil, nil, bad("reply markup is too long")
	}
	if count == 0 {
		return nil, nil, nil
	}
	return buttons, map[string]any{"inline_keyboard": rows}, nil
}

func sendMessage(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, e := s.writable(p)
	if e != nil {
		return nil, e
	}
	text, e := checkText(p.text("text"), maxText)
	if e != nil {
		return nil, e
	}
	buttons, markup, e := keyboard(p)
	if e != nil {
		return nil, e
	}
	m := s.add(c, &message{
		Message: Message{
			FromBot: true, Text: text, Buttons: buttons,
			Silent: p.flag("disable_notification"), Protected: p.flag("protect_content"),
		},
		markup: markup,
	})
	s.touch(c)
	return s.object(c, m), nil
}

// editable returns the bot's message that the call is about.
func (s *Server) editable(p params) (*chat, *message, *apiError) {
	c, e := s.writable(p)
	if e != nil {
		return nil, nil, e
	}
	m := c.find(int(p.number("message_id", 0)))
	if m == nil {
		return nil, nil, bad("message to edit not found")
	}
	if !m.FromBot {
		return nil, nil, bad("message can't be edited")
	}
	return c, m, nil
}

func (s *Server) edit(c *chat, m *message, text string, buttons [][]Button, markup any) (any, *apiError) {
	if m.Text == text && reflect.DeepEqual(m.markup, markup) {
		return nil, bad("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	m.Text, m.Buttons, m.markup, m.Edited = text, buttons, markup, true
	s.touch(c)
	return s.object(c, m), nil
}

func editMessageText(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, m, e := s.editable(p)
	if e != nil {
		return nil, e
	}
	text, e := checkText(p.text("text"), maxText)
	if e != nil {
		return nil, e
	}
	buttons, markup, e := keyboard(p)
	if e != nil {
		return nil, e
	}
	return s.edit(c, m, text, buttons, markup)
}

func editMessageReplyMarkup(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, m, e := s.editable(p)
	if e != nil {
		return nil, e
	}
	buttons, markup, e := keyboard(p)
	if e != nil {
		return nil, e
	}
	return s.edit(c, m, m.Text, buttons, markup)
}

func deleteMessage(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chats[p.chat()]
	if c == nil {
		return nil, bad("chat not found")
	}
	m := c.find(int(p.number("message_id", 0)))
	if m == nil {
		return nil, bad("message to delete not found")
	}
	if s.now().Sub(m.At) >= deleteAfter {
		return nil, bad("message can't be deleted for everyone")
	}
	c.remove(m.ID)
	s.touch(c)
	return true, nil
}

// deleteMessages skips ids that are not there, and refuses all if one is too
// old.
func deleteMessages(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chats[p.chat()]
	if c == nil {
		return nil, bad("chat not found")
	}
	ids, err := p.ids("message_ids")
	if err != nil {
		return nil, bad(err.Error())
	}
	if len(ids) < 1 {
		return nil, bad("message identifiers are not specified")
	}
	if len(ids) > 100 {
		return nil, bad("too many message identifiers specified")
	}
	for _, id := range ids {
		if m := c.find(id); m != nil && s.now().Sub(m.At) >= deleteAfter {
			return nil, bad("message can't be deleted for everyone")
		}
	}
	for _, id := range ids {
		c.remove(id)
	}
	s.touch(c)
	return true, nil
}

func answerCallbackQuery(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queries[p.text("callback_query_id")]
	if q == nil || s.now().Sub(q.at) > queryLife {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	if units(p.text("text")) > maxAnswer {
		return nil, bad("MESSAGE_TOO_LONG")
	}
	if !q.answered {
		q.answered = true
		c := s.chat(q.chat)
		c.waiting--
		s.touch(c)
	}
	return true, nil
}

func sendChatAction(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, e := s.writable(p); e != nil {
		return nil, e
	}
	return true, nil
}

func getChat(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chats[p.chat()]
	if c == nil {
		return nil, bad("chat not found")
	}
	o := s.privateChat(c.id)
	o["accent_color_id"], o["max_reaction_count"] = 0, 11
	o["accepted_gift_types"] = map[string]any{
		"unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false,
		"premium_subscription": false, "gifts_from_channels": false,
	}
	return o, nil
}

// accountLimit is how long what a bot says of itself may be, in UTF-16 code
// units; 0 for no limit.
func accountLimit(field string) int {
	switch field {
	case "name":
		return 64
	case "description":
		return 512
	case "short_description":
		return 120
	}
	return 0
}

func accountKey(field string, p params) string {
	if l := p.text("language_code"); l != "" {
		field += ":" + l
	}
	if scope, ok := p["scope"].(map[string]any); ok {
		raw, _ := json.Marshal(scope)
		if t, _ := scope["type"].(string); t != "default" {
			field += ":" + string(raw)
		}
	}
	return field
}

func setAccount(field string) method {
	return func(s *Server, _ context.Context, p params) (any, *apiError) {
		if limit := accountLimit(field); limit > 0 && units(p.text(field)) > limit {
			return nil, bad("bot " + strings.ReplaceAll(field, "_", " ") + " is too long")
		}
		if l := p.text("language_code"); l != "" && !languageForm.MatchString(l) {
			return nil, bad("LANG_CODE_INVALID")
		}
		if field == "commands" {
			if fault := commandsFault(p.list(field)); fault != "" {
				return nil, bad(fault)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.account[accountKey(field, p)] = p[field]
		return true, nil
	}
}

// languageForm is that of a two-letter ISO 639-1 code, commandForm that of a
// command.
var (
	languageForm = regexp.MustCompile(`^[a-z]{2}$`)
	commandForm  = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)
)

// commandsFault is what is wrong with a list of commands, "" if nothing is.
func commandsFault(list []any) string {
	if len(list) > 100 {
		return "BOT_COMMANDS_TOO_MUCH"
	}
	for _, x := range list {
		c, _ := x.(map[string]any)
		name, _ := c["command"].(string)
		description, _ := c["description"].(string)
		switch n := units(description); {
		case !commandForm.MatchString(name):
			return "BOT_COMMAND_INVALID"
		case n < 1 || n > 256:
			return "BOT_COMMAND_DESCRIPTION_INVALID"
		}
	}
	return ""
}

func getAccount(field string, zero any) method {
	return func(s *Server, _ context.Context, p params) (any, *apiError) {
		s.mu.Lock()
		defer s.mu.Unlock()
		v, ok := s.account[accountKey(field, p)]
		if !ok || v == nil {
			v = zero
		}
		if field == "commands" {
			return v, nil
		}
		return map[string]any{field: v}, nil
	}
}

func deleteCommands(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.account, accountKey("commands", p))
	return true, nil
}
