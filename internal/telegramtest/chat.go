package telegramtest

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// What every simulated person's profile holds. They are canaries: none of it
// may ever leave the package that receives updates.
const (
	CanaryName     = "Rahasia-Nama-Canary"
	CanaryUsername = "rahasia_username_canary"
	CanaryLanguage = "tlh"
)

// A Message is a message as the person's client shows it now.
type Message struct {
	ID      int    `json:"id"`
	FromBot bool   `json:"fromBot"`
	Text    string `json:"text"`
	// Media is the kind of an attachment, empty for text.
	Media   string     `json:"media,omitempty"`
	Buttons [][]Button `json:"buttons,omitempty"`
	At      time.Time  `json:"at"`
	Edited  bool       `json:"edited,omitempty"`
	// Silent says that it came without a sound, Protected that it cannot be
	// passed on.
	Silent    bool `json:"silent,omitempty"`
	Protected bool `json:"protected,omitempty"`
}

// A Button is an inline button.
type Button struct {
	Label string `json:"label"`
	Data  string `json:"data"`
	Style string `json:"style,omitempty"`
}

// A chat is one private chat. The server's mutex guards it.
type chat struct {
	id          int64
	messages    []*message
	open        bool // the person wrote first
	blocked     bool
	deactivated bool
	waiting     int           // presses not answered yet
	changed     chan struct{} // closed and replaced with each change
}

type message struct {
	Message
	markup any            // reply_markup as it came
	media  map[string]any // the attachment's field of the Message object
}

// A query is a button press that may still be answered.
type query struct {
	chat     int64
	at       time.Time
	answered bool
}

func (s *Server) chat(id int64) *chat {
	c := s.chats[id]
	if c == nil {
		c = &chat{id: id, changed: make(chan struct{})}
		s.chats[id] = c
	}
	return c
}

// touch tells everybody who watches the chat that it changed.
func (s *Server) touch(c *chat) {
	close(c.changed)
	c.changed = make(chan struct{})
	for f := range s.feeds {
		f.mark(c.id)
	}
}

func (c *chat) find(id int) *message {
	i, ok := slices.BinarySearchFunc(c.messages, id, func(m *message, id int) int { return m.ID - id })
	if !ok {
		return nil
	}
	return c.messages[i]
}

func (c *chat) remove(id int) bool {
	n := len(c.messages)
	c.messages = slices.DeleteFunc(c.messages, func(m *message) bool { return m.ID == id })
	return len(c.messages) < n
}

func (c *chat) view() []Message {
	out := make([]Message, len(c.messages))
	for i, m := range c.messages {
		out[i] = m.Message
	}
	return out
}

// add puts a message into the chat and gives it its id.
func (s *Server) add(c *chat, m *message) *message {
	s.nextID++
	m.ID = s.nextID
	m.At = s.now()
	c.messages = append(c.messages, m)
	return m
}

func (s *Server) user(id int64) map[string]any {
	return map[string]any{
		"id": id, "is_bot": false, "first_name": CanaryName,
		"username": CanaryUsername, "language_code": CanaryLanguage,
	}
}

func (s *Server) botID() int64 {
	head, _, _ := cutToken(s.Token)
	return head
}

// cutToken splits a token into the bot's id and its secret.
func cutToken(token string) (id int64, secret string, ok bool) {
	for i := range len(token) {
		if token[i] == ':' {
			id, err := strconv.ParseInt(token[:i], 10, 64)
			return id, token[i+1:], err == nil
		}
	}
	return 0, "", false
}

func (s *Server) me() map[string]any {
	return map[string]any{
		"id": s.botID(), "is_bot": true, "first_name": "Suar", "username": "suar_test_bot",
		"can_join_groups": s.opts.Open, "can_read_all_group_messages": false,
		"supports_inline_queries": false, "supports_guest_queries": false,
	}
}

func (s *Server) privateChat(id int64) map[string]any {
	return map[string]any{"id": id, "type": "private", "first_name": CanaryName, "username": CanaryUsername}
}

// object is the Bot API's Message.
func (s *Server) object(c *chat, m *message) map[string]any {
	o := map[string]any{
		"message_id": m.ID,
		"date":       m.At.Unix(),
		"chat":       s.privateChat(c.id),
	}
	if m.FromBot {
		from := s.me()
		for k := range from {
			if k != "id" && k != "is_bot" && k != "first_name" && k != "username" {
				delete(from, k)
			}
		}
		o["from"] = from
	} else {
		o["from"] = s.user(c.id)
	}
	switch {
	case m.media == nil:
		o["text"] = m.Text
		if entities := commandEntities(m.Text); entities != nil {
			o["entities"] = entities
		}
	default:
		maps.Copy(o, m.media)
		if m.Text != "" {
			o["caption"] = m.Text
		}
	}
	if m.markup != nil {
		o["reply_markup"] = m.markup
	}
	if m.Edited {
		o["edit_date"] = s.now().Unix()
	}
	if m.Protected {
		o["has_protected_content"] = true
	}
	return o
}

// commandEntities marks a command at the beginning, as clients do.
func commandEntities(text string) []any {
	if len(text) < 2 || text[0] != '/' {
		return nil
	}
	end := 1
	for end < len(text) && text[end] > ' ' && text[end] < 0x7f {
		end++
	}
	return []any{map[string]any{"type": "bot_command", "offset": 0, "length": end}}
}
