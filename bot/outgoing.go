package bot

import (
	"strconv"
	"strings"

	"suar/flows"
)

// A message is what a chat shows: of the Bot API's parameters of sendMessage and
// editMessageText those that are used here. They are written by hand because
// nearly all that is sent is one of these.
type message struct {
	chat int64
	// id is the message to change, 0 for a new one.
	id   int
	text string
	keys [][]flows.Button
	// protect keeps a new message from being passed on.
	protect bool
}

// params appends the parameters as JSON: no preview, and no sound for a new
// message.
func (m message) params(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"chat_id":`...), m.chat, 10)
	if m.id != 0 {
		b = strconv.AppendInt(append(b, `,"message_id":`...), int64(m.id), 10)
	}
	b = appendText(append(b, `,"text":`...), m.text)
	b = append(b, `,"link_preview_options":{"is_disabled":true}`...)
	if m.id == 0 {
		b = append(b, `,"disable_notification":true`...)
		if m.protect {
			b = append(b, `,"protect_content":true`...)
		}
	}
	if hasButtons(m.keys) {
		b = appendKeyboard(append(b, `,"reply_markup":`...), m.keys)
	}
	return append(b, '}')
}

func hasButtons(rows [][]flows.Button) bool {
	for _, row := range rows {
		if len(row) > 0 {
			return true
		}
	}
	return false
}

// appendKeyboard appends an inline keyboard. A row without a button is none.
func appendKeyboard(b []byte, rows [][]flows.Button) []byte {
	b = append(b, `{"inline_keyboard":[`...)
	first := true
	for _, row := range rows {
		if len(row) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		for i, button := range row {
			open := `,{"text":`
			if i == 0 {
				open = `[{"text":`
			}
			b = appendText(append(b, open...), clean(button.Label))
			if button.Danger {
				b = append(b, `,"style":"danger"`...)
			}
			if button.Data != "" {
				b = appendText(append(b, `,"callback_data":`...), button.Data)
			}
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, `]}`...)
}

// deletion appends the parameters of deleteMessages.
func deletion(b []byte, chat int64, ids []int) []byte {
	b = strconv.AppendInt(append(b, `{"chat_id":`...), chat, 10)
	b = append(b, `,"message_ids":`...)
	for i, id := range ids {
		sep := byte(',')
		if i == 0 {
			sep = '['
		}
		b = strconv.AppendInt(append(b, sep), int64(id), 10)
	}
	return append(b, `]}`...)
}

// appendText appends a string of JSON. What is not UTF-8 is replaced.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	s = strings.ToValidUTF8(s, "\ufffd")
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch {
		case c >= ' ':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}
