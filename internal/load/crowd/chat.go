package crowd

import (
	"bytes"
	"strconv"
	"time"
)

// A chat is one person's with the bot.
type chat struct {
	id      int64
	step    int // the step that is next, or waits for its answer
	waiting bool
	since   time.Time
	last    *Step // the last step of this conversation
	gone    bool  // no longer part of the plan
	stays   bool

	own     int64 // the person's message that is not deleted yet, 0 if none
	bubble  int64 // the bot's message with buttons, 0 if none
	text    []byte
	markup  []byte
	edited  bool
	data    []byte // what the next step presses, as JSON
	presses int64
}

func (t *Telegram) newChat() *chat {
	t.nextChat++
	c := &chat{id: t.nextChat}
	t.chats[c.id] = c
	return c
}

// next lets a chat go on with its next step, at once or when it is its turn.
func (t *Telegram) next(c *chat) {
	switch {
	case !t.running || c.gone:
	case t.plan.Stay > 0 && c.step >= t.plan.Stay:
		c.stays = true
	case t.plan.Rate > 0:
		t.ready = append(t.ready, c)
	default:
		t.act(c)
	}
}

// stepOf is the nth step of a chat's conversation.
func (t *Telegram) stepOf(c *chat, n int) *Step {
	if n == len(t.script.Steps)-1 {
		return c.last
	}
	return &t.script.Steps[n]
}

// act makes the update of a chat's step.
func (t *Telegram) act(c *chat) {
	if c.step == 0 {
		t.begun++
		c.last = &t.script.Steps[len(t.script.Steps)-1]
		if n := t.plan.Cases; n > 0 && t.script.Case != nil && t.begun%n == 0 {
			c.last = t.script.Case
		}
	}
	s := t.stepOf(c, c.step)
	c.waiting, c.since = true, time.Now()
	if s.Say != "" {
		t.nextID++
		c.own = t.nextID
		t.send("message", func(b []byte) []byte { return c.said(b, s.Say, c.since) })
		return
	}
	c.presses++
	t.send("callback_query", func(b []byte) []byte { return c.press(b) })
}

// said appends the person's message as an object of the Bot API.
func (c *chat) said(b []byte, text string, at time.Time) []byte {
	b = append(b, `{"message_id":`...)
	b = strconv.AppendInt(b, c.own, 10)
	b = append(b, `,"from":`...)
	b = c.person(b)
	b = append(b, `,"chat":`...)
	b = c.object(b)
	b = append(b, `,"date":`...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = append(b, `,"text":`...)
	b = quote(b, []byte(text))
	if text[0] == '/' {
		b = append(b, `,"entities":[{"type":"bot_command","offset":0,"length":`...)
		b = strconv.AppendInt(b, int64(len(text)), 10)
		b = append(b, `}]`...)
	}
	return append(b, '}')
}

// press appends a press of a button beneath the bubble.
func (c *chat) press(b []byte) []byte {
	b = append(b, `{"id":"`...)
	b = strconv.AppendInt(b, c.id, 10)
	b = append(b, '0', '0')
	b = strconv.AppendInt(b, c.presses, 10)
	b = append(b, `","from":`...)
	b = c.person(b)
	b = append(b, `,"message":`...)
	b = c.shown(b)
	b = append(b, `,"chat_instance":"7000001","data":`...)
	b = append(b, c.data...)
	return append(b, '}')
}

// shown appends the bubble as an object of the Bot API.
func (c *chat) shown(b []byte) []byte {
	b = append(b, `{"message_id":`...)
	b = strconv.AppendInt(b, c.bubble, 10)
	b = append(b, `,"from":{"id":123456,"is_bot":true,"first_name":"Suar","username":"suar_test_bot"},"chat":`...)
	b = c.object(b)
	b = append(b, `,"date":`...)
	b = strconv.AppendInt(b, c.since.Unix(), 10)
	if c.edited {
		b = append(b, `,"edit_date":`...)
		b = strconv.AppendInt(b, c.since.Unix(), 10)
	}
	b = append(b, `,"text":`...)
	b = append(b, c.text...)
	if len(c.markup) > 0 {
		b = append(b, `,"reply_markup":`...)
		b = append(b, c.markup...)
	}
	return append(b, '}')
}

func (c *chat) person(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, c.id, 10)
	return append(b, `,"is_bot":false,"first_name":"Invented","language_code":"en"}`...)
}

func (c *chat) object(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, c.id, 10)
	return append(b, `,"type":"private","first_name":"Invented"}`...)
}

// see lets the person look at the bubble: if it is what the step waits for, the
// step is done.
func (t *Telegram) see(c *chat) {
	if !c.waiting || c.gone {
		return
	}
	s := t.stepOf(c, c.step)
	if s.Shows == "" || !bytes.Contains(c.text, []byte(s.Shows)) {
		return
	}
	if s == t.script.Case {
		t.done(c)
		c.gone = true
		t.next(t.newChat())
		return
	}
	if following := t.stepOf(c, c.step+1); following.Press != "" {
		data := button(c.markup, following.Press)
		if data == nil {
			return
		}
		c.data = append(c.data[:0], data...)
	}
	if v := &t.views[c.step]; v.Text == nil {
		v.Text, v.Keyboard = bytes.Clone(c.text), bytes.Clone(c.markup)
	}
	t.done(c)
	t.next(c)
}

// vanished lets the person see that the bubble is gone.
func (t *Telegram) vanished(c *chat) {
	if c.waiting && !c.gone && t.stepOf(c, c.step).Shows == "" {
		t.done(c)
		t.next(c)
	}
}

// done ends a step, and the conversation after its last one.
func (t *Telegram) done(c *chat) {
	c.waiting = false
	t.answered++
	t.window.took(time.Since(c.since))
	if c.step++; c.step == len(t.script.Steps) {
		c.step = 0
		t.ended++
		t.window.conversations++
	}
}
