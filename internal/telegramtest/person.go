package telegramtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Person is a simulated person with a private chat with the bot. All methods
// may be called by any number of goroutines; what one goroutine does reaches
// the bot in that order.
type Person struct {
	s  *Server
	id int64
}

// Person returns the person with the id, who is also the chat's id. Nothing
// happens until the person does something.
func (s *Server) Person(id int64) *Person { return &Person{s: s, id: id} }

// ID is the person's id and the chat's.
func (p *Person) ID() int64 { return p.id }

// change runs f with the chat under the server's lock.
func (p *Person) change(f func(c *chat)) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	c := p.s.chat(p.id)
	f(c)
	p.s.touch(c)
}

// Start opens the chat with /start, and ends a block. It returns the message's
// id.
func (p *Person) Start() int {
	p.Unblock()
	return p.Say("/start")
}

// Say writes a message and returns its id.
func (p *Person) Say(text string) int {
	var id int
	p.change(func(c *chat) { id = p.write(c, &message{Message: Message{Text: text}}) })
	return id
}

func (p *Person) write(c *chat, m *message) int {
	c.open = true
	p.s.add(c, m)
	p.s.send("message", p.id, p.s.object(c, m))
	return m.ID
}

// Edit gives the person's own message new words.
func (p *Person) Edit(id int, text string) error {
	err := fmt.Errorf("telegramtest: no message %d of the person", id)
	p.change(func(c *chat) {
		if m := c.find(id); m != nil && !m.FromBot {
			m.Text, m.Edited = text, true
			p.s.send("edited_message", p.id, p.s.object(c, m))
			err = nil
		}
	})
	return err
}

// Delete takes messages out of the chat for both sides. Telegram tells a bot
// nothing of it.
func (p *Person) Delete(ids ...int) {
	p.change(func(c *chat) {
		for _, id := range ids {
			c.remove(id)
		}
	})
}

// Press presses the button with that label, or else that data, under the
// message, or under the latest message that has one if message is 0.
func (p *Person) Press(button string, message int) error {
	err := fmt.Errorf("telegramtest: no button %q", button)
	p.change(func(c *chat) {
		for _, m := range slices.Backward(c.messages) {

			if message != 0 && m.ID != message {
				continue
			}
			if data, ok := m.button(button); ok {
				p.press(c, p.s.object(c, m), data)
				err = nil
				return
			}
		}
	})
	return err
}

// Forge presses a button that is not there: any data, as if it were under the
// message with the id. A message that is gone is given as inaccessible.
func (p *Person) Forge(data string, message int) {
	p.change(func(c *chat) {
		object := map[string]any{"chat": p.s.privateChat(p.id), "message_id": message, "date": 0}
		if m := c.find(message); m != nil {
			object = p.s.object(c, m)
		}
		p.press(c, object, data)
	})
}

func (p *Person) press(c *chat, object map[string]any, data string) {
	s := p.s
	id := fmt.Sprintf("%d%09d", p.id, s.nextUpdate)
	for len(s.pressed) > 0 {
		// An id comes again if the bot did not want the press before.
		if q := s.queries[s.pressed[0]]; q != nil && s.now().Sub(q.at) <= queryLife {
			break
		}
		delete(s.queries, s.pressed[0])
		s.pressed = s.pressed[1:]
	}
	s.queries[id] = &query{chat: p.id, at: s.now()}
	s.pressed = append(s.pressed, id)
	c.waiting++
	s.send("callback_query", p.id+3<<33, map[string]any{
		"id": id, "from": s.user(p.id), "message": object,
		"chat_instance": fmt.Sprint(7_000_000 + p.id), "data": data,
	})
}

func (m *message) button(name string) (data string, ok bool) {
	for _, byData := range []bool{false, true} {
		for _, row := range m.Buttons {
			for _, b := range row {
				if (!byData && b.Label == name) || (byData && b.Data == name) {
					return b.Data, b.Data != ""
				}
			}
		}
	}
	return "", false
}

// The kinds that Send knows.
const (
	Photo     = "photo"
	Video     = "video"
	VideoNote = "video_note"
	Voice     = "voice"
	Audio     = "audio"
	Sticker   = "sticker"
	Document  = "document"
	Contact   = "contact"
	Location  = "location"
	Dice      = "dice"
)

// CanaryPhone is the number in a shared contact, CanaryFile the beginning of
// every file's id and name.
const (
	CanaryPhone = "+000000-canary"
	CanaryFile  = "FILE-canary"
)

// Send sends an attachment of one of the kinds above with a caption, which may
// be empty, and returns the message's id. It panics for another kind.
func (p *Person) Send(kind, caption string) int {
	var id int
	p.change(func(c *chat) {
		id = p.write(c, &message{Message: Message{Text: caption, Media: kind}, media: attachment(kind, p.s.nextID+1)})
	})
	return id
}

func attachment(kind string, n int) map[string]any {
	file := func(more map[string]any) map[string]any {
		o := map[string]any{
			"file_id":        fmt.Sprintf("%s-%d", CanaryFile, n),
			"file_unique_id": fmt.Sprintf("%s-u%d", CanaryFile, n),
		}
		maps.Copy(o, more)
		return o
	}
	switch kind {
	case Photo:
		return map[string]any{kind: []any{
			file(map[string]any{"width": 90, "height": 60}),
			file(map[string]any{"width": 900, "height": 600}),
		}}
	case Video:
		return map[string]any{kind: file(map[string]any{"width": 640, "height": 480, "duration": 3})}
	case VideoNote:
		return map[string]any{kind: file(map[string]any{"length": 240, "duration": 3})}
	case Voice, Audio:
		return map[string]any{kind: file(map[string]any{"duration": 3})}
	case Sticker:
		return map[string]any{kind: file(map[string]any{
			"type": "regular", "width": 512, "height": 512, "is_animated": false, "is_video": false,
		})}
	case Document:
		return map[string]any{kind: file(map[string]any{"file_name": CanaryFile + ".apk"})}
	case Contact:
		return map[string]any{kind: map[string]any{"phone_number": CanaryPhone, "first_name": CanaryName}}
	case Location:
		return map[string]any{kind: map[string]any{"latitude": 0.5, "longitude": 0.25}}
	case Dice:
		return map[string]any{kind: map[string]any{"emoji": "🎲", "value": 4}}
	}
	panic("telegramtest: no attachment " + kind)
}

// Block closes the chat to the bot.
func (p *Person) Block() {
	p.change(func(c *chat) {
		if !c.blocked {
			c.blocked = true
			p.member("member", "kicked")
		}
	})
}

// Unblock opens the chat again.
func (p *Person) Unblock() {
	p.change(func(c *chat) {
		if c.blocked {
			c.blocked = false
			p.member("kicked", "member")
		}
	})
}

// Deactivate ends the person's account.
func (p *Person) Deactivate() { p.change(func(c *chat) { c.deactivated = true }) }

func (p *Person) member(before, after string) {
	s := p.s
	me := s.me()
	user := map[string]any{"id": me["id"], "is_bot": true, "first_name": me["first_name"], "username": me["username"]}
	member := func(status string) map[string]any {
		o := map[string]any{"status": status, "user": user}
		if status == "kicked" {
			o["until_date"] = 0
		}
		return o
	}
	s.send("my_chat_member", p.id+5<<33, map[string]any{
		"chat": s.privateChat(p.id), "from": s.user(p.id), "date": s.now().Unix(),
		"old_chat_member": member(before), "new_chat_member": member(after),
	})
}

// Chat returns the chat as the person's client shows it now, the oldest message
// first.
func (p *Person) Chat() []Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.chat(p.id).view()
}

// Spinning returns how many presses the bot has not answered.
func (p *Person) Spinning() int {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.chat(p.id).waiting
}

var errClosed = errors.New("telegramtest: server closed")

// Wait waits until the chat is as ok wants it and returns it. It looks at each
// change and does not poll. If ctx ends first it returns the chat as it is and
// the context's error.
func (p *Person) Wait(ctx context.Context, ok func([]Message) bool) ([]Message, error) {
	for {
		p.s.mu.Lock()
		c := p.s.chat(p.id)
		view, changed := c.view(), c.changed
		p.s.mu.Unlock()
		if ok(view) {
			return view, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return view, ctx.Err()
		case <-p.s.ctx.Done():
			return view, errClosed
		}
	}
}

// WaitText waits for a message of the bot's that contains part and returns the
// latest such message.
func (p *Person) WaitText(ctx context.Context, part string) (Message, error) {
	return p.waitMessage(ctx, func(m Message) bool { return strings.Contains(m.Text, part) })
}

// WaitButton waits for a message of the bot's with a button of that label or
// data and returns the latest such message.
func (p *Person) WaitButton(ctx context.Context, button string) (Message, error) {
	return p.waitMessage(ctx, func(m Message) bool {
		for _, row := range m.Buttons {
			for _, b := range row {
				if b.Label == button || b.Data == button {
					return true
				}
			}
		}
		return false
	})
}

func (p *Person) waitMessage(ctx context.Context, ok func(Message) bool) (Message, error) {
	var found Message
	_, err := p.Wait(ctx, func(chat []Message) bool {
		for _, c := range slices.Backward(chat) {
			if c.FromBot && ok(c) {
				found = c
				return true
			}
		}
		return false
	})
	return found, err
}
