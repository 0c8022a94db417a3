package crowd

import (
	"bytes"
	"net/http"
	"strconv"
)

// A call is what a request asks for. The slices are JSON and valid as long as
// the request.
type call struct {
	chat, message          int64
	text, markup           []byte
	ids, query             []byte
	offset, limit, timeout int64
}

func (c *call) take(name, v []byte) {
	switch string(name) {
	case "chat_id":
		c.chat = number(v)
	case "message_id":
		c.message = number(v)
	case "text":
		c.text = v
	case "reply_markup":
		c.markup = v
	case "message_ids":
		c.ids = v
	case "callback_query_id":
		c.query = v
	case "offset":
		c.offset = number(v)
	case "limit":
		c.limit = number(v)
	case "timeout":
		c.timeout = number(v)
	}
}

// A refusal is an answer with "ok": false.
type refusal struct {
	code int
	text string
}

// room is left before an answer's body for its head.
const room = 128

// answer performs a request and appends the whole answer.
func (t *Telegram) answer(b []byte, r *request) []byte {
	b = append(b, make([]byte, room)...)
	b = append(b, `{"ok":true,"result":`...)
	begin := len(b)
	b, e := t.perform(b, r)
	status := http.StatusOK
	if e == nil {
		if t.samples.wants("result:" + string(r.method)) {
			t.mu.Lock()
			t.samples.keep("result:"+string(r.method), b[begin:])
			t.mu.Unlock()
		}
		b = append(b, '}')
	} else {
		status = e.code
		b = append(b[:room], `{"ok":false,"error_code":`...)
		b = strconv.AppendInt(b, int64(e.code), 10)
		b = append(b, `,"description":`...)
		b = append(quote(b, []byte(e.text)), '}')
	}
	var h [room]byte
	head := append(h[:0], "HTTP/1.1 "...)
	head = strconv.AppendInt(head, int64(status), 10)
	head = append(head, " "...)
	head = append(head, http.StatusText(status)...)
	head = append(head, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	head = strconv.AppendInt(head, int64(len(b)-room), 10)
	head = append(head, "\r\n\r\n"...)
	copy(b[room-len(head):], head)
	return b[room-len(head):]
}

// perform appends the result of a call.
func (t *Telegram) perform(b []byte, r *request) ([]byte, *refusal) {
	if string(r.token) != t.token {
		return b, &refusal{401, "Unauthorized"}
	}
	var c call
	if err := r.parameters(c.take); err != nil {
		return b, &refusal{400, "Bad Request: can't parse the body"}
	}
	method := string(r.method)
	if method == "getUpdates" {
		return t.getUpdates(b, &c)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[method]++
	if t.samples.wants("params:" + method) {
		t.samples.keep("params:"+method, r.object())
	}
	var e *refusal
	switch method {
	case "sendMessage":
		b, e = t.sendMessage(b, &c)
	case "editMessageText":
		b, e = t.editMessageText(b, &c)
	case "deleteMessage":
		b, e = t.remove(b, c.chat, c.message)
	case "deleteMessages":
		_ = elements(c.ids, func(id []byte) {
			if n, _ := t.remove(nil, c.chat, number(id)); n == nil && t.chats[c.chat] == nil {
				e = &refusal{400, "Bad Request: chat not found"}
			}
		})
		b = append(b, "true"...)
	case "answerCallbackQuery":
		b, e = t.answerCallbackQuery(b, &c)
	case "deleteWebhook", "setMyCommands", "setMyName", "setMyDescription", "setMyShortDescription", "setChatMenuButton":
		b = append(b, "true"...)
	case "getMe":
		b = append(b, `{"id":123456,"is_bot":true,"first_name":"Suar","username":"suar_test_bot","can_join_groups":false,"can_read_all_group_messages":false,"supports_inline_queries":false,"supports_guest_queries":false}`...)
	default:
		e = &refusal{404, "Not Found"}
	}
	if e != nil {
		t.fault("%s: %s", method, e.text)
	}
	return b, e
}

func (t *Telegram) sendMessage(b []byte, c *call) ([]byte, *refusal) {
	to := t.chats[c.chat]
	switch {
	case to == nil:
		return b, &refusal{400, "Bad Request: chat not found"}
	case len(c.text) <= 2:
		return b, &refusal{400, "Bad Request: message text is empty"}
	}
	t.nextID++
	to.bubble, to.edited = t.nextID, false
	to.text = append(to.text[:0], c.text...)
	to.markup = append(to.markup[:0], c.markup...)
	b = to.shown(b)
	t.see(to)
	return b, nil
}

func (t *Telegram) editMessageText(b []byte, c *call) ([]byte, *refusal) {
	to := t.chats[c.chat]
	switch {
	case to == nil:
		return b, &refusal{400, "Bad Request: chat not found"}
	case to.bubble == 0 || to.bubble != c.message:
		return b, &refusal{400, "Bad Request: message to edit not found"}
	case len(c.text) <= 2:
		return b, &refusal{400, "Bad Request: message text is empty"}
	case bytes.Equal(c.text, to.text) && bytes.Equal(c.markup, to.markup):
		return b, &refusal{400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"}
	}
	to.edited = true
	to.text = append(to.text[:0], c.text...)
	to.markup = append(to.markup[:0], c.markup...)
	b = to.shown(b)
	t.see(to)
	return b, nil
}

// remove deletes one message.
func (t *Telegram) remove(b []byte, chat, id int64) ([]byte, *refusal) {
	c := t.chats[chat]
	switch {
	case c == nil:
		return b, &refusal{400, "Bad Request: chat not found"}
	case id != 0 && id == c.own:
		c.own = 0
	case id != 0 && id == c.bubble:
		c.bubble = 0
		t.vanished(c)
	default:
		return b, &refusal{400, "Bad Request: message to delete not found"}
	}
	return append(b, "true"...), nil
}

func (t *Telegram) answerCallbackQuery(b []byte, c *call) ([]byte, *refusal) {
	id := bytes.Trim(c.query, `"`)
	if len(id) <= 11 {
		return b, &refusal{400, "Bad Request: query is too old and response timeout expired or query ID is invalid"}
	}
	from := t.chats[number(id[:9])]
	if from == nil || number(id[11:]) < 1 || number(id[11:]) > from.presses {
		return b, &refusal{400, "Bad Request: query is too old and response timeout expired or query ID is invalid"}
	}
	return append(b, "true"...), nil
}
