package crowd

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// members calls f with each member of a JSON object: its name without quotes,
// which Telegram's names do not need to have unescaped, and its value. Nothing
// and null have no members.
func members(object []byte, f func(name, value []byte)) error {
	b := bytes.TrimSpace(object)
	if len(b) == 0 || string(b) == "null" {
		return nil
	}
	if b[0] != '{' {
		return errMalformed
	}
	for b = space(b[1:]); ; b = space(b) {
		switch {
		case len(b) == 0:
			return errMalformed
		case b[0] == '}':
			return nil
		case b[0] == ',':
			b = b[1:]
			continue
		case b[0] != '"':
			return errMalformed
		}
		n := value(b)
		if n < 2 {
			return errMalformed
		}
		name := b[1 : n-1]
		b = space(b[n:])
		if len(b) == 0 || b[0] != ':' {
			return errMalformed
		}
		b = space(b[1:])
		n = value(b)
		if n == 0 {
			return errMalformed
		}
		f(name, b[:n])
		b = b[n:]
	}
}

// elements calls f with each element of a JSON array.
func elements(array []byte, f func(element []byte)) error {
	b := bytes.TrimSpace(array)
	if len(b) == 0 || b[0] != '[' {
		return errMalformed
	}
	for b = space(b[1:]); ; b = space(b) {
		switch {
		case len(b) == 0:
			return errMalformed
		case b[0] == ']':
			return nil
		case b[0] == ',':
			b = b[1:]
			continue
		}
		n := value(b)
		if n == 0 {
			return errMalformed
		}
		f(b[:n])
		b = b[n:]
	}
}

func space(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// value returns how long the JSON value is that b begins with, 0 if it is cut.
func value(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"':
		for i := 1; i < len(b); i++ {
			switch b[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return 0
	case '{', '[':
		depth := 0
		for i := 0; i < len(b); i++ {
			switch b[i] {
			case '"':
				n := value(b[i:])
				if n == 0 {
					return 0
				}
				i += n - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return 0
	}
	for i, c := range b {
		if c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t' {
			return i
		}
	}
	return len(b)
}

// button returns what the button with the label sends back, nil if an inline
// keyboard has none.
func button(markup []byte, label string) (data []byte) {
	row := func(cells []byte) {
		_ = elements(cells, func(cell []byte) {
			var found bool
			var sends []byte
			_ = members(cell, func(name, v []byte) {
				switch string(name) {
				case "text":
					found = says(v, label)
				case "callback_data":
					sends = v
				}
			})
			if found && data == nil {
				data = sends
			}
		})
	}
	_ = members(markup, func(name, v []byte) {
		if string(name) == "inline_keyboard" {
			_ = elements(v, row)
		}
	})
	return data
}

// says reports whether a JSON string is the text.
func says(v []byte, text string) bool {
	if len(v) < 2 {
		return false
	}
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == text
	}
	var s string
	return json.Unmarshal(v, &s) == nil && s == text
}

// number reads an integer, also one in quotes; 0 if it is none.
func number(v []byte) int64 {
	n, err := strconv.ParseInt(string(bytes.Trim(v, `"`)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// quote appends a text as a JSON string.
func quote(b, text []byte) []byte {
	plain := utf8.Valid(text)
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, text...)
		return append(b, '"')
	}
	raw, err := json.Marshal(string(text))
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, raw...)
}
