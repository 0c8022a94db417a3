package bot

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Telegram's answer is one JSON document with up to a hundred updates. Were it
// decoded as one, a single update that encoding/json refuses, such as one that
// is nested too deep, would hold up all of them for ever. So the document is
// cut into its updates by this reader, which looks at brackets and strings only
// and has no limit of depth; each update is then decoded by itself.

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipValue returns where the value that begins at i ends, or false if b ends
// before it does.
func skipValue(b []byte, i int) (int, bool) {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			end, ok := skipString(b, i)
			if !ok {
				return len(b), false
			}
			i = end
			if depth == 0 {
				return i, true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i, true // the end of a scalar and of what it is in
			}
			depth--
			if depth == 0 {
				return i + 1, true
			}
		case ',', ':', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i, true
			}
		}
		i++
	}
	return len(b), false
}

func skipString(b []byte, i int) (int, bool) {
	for i++; i < len(b); i++ {
		quote := bytes.IndexByte(b[i:], '"')
		if quote < 0 {
			break
		}
		i += quote
		// An even number of backslashes before it are each other's.
		escapes := 0
		for b[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1, true
		}
	}
	return len(b), false
}

// object calls f with each member of b, as members does, and reports whether b is
// one object and nothing of it is missing.
func object(b []byte, f func(key, value []byte)) bool {
	end, whole := membersTo(b, func(key, value []byte) bool {
		f(key, value)
		return true
	})
	return whole && skipSpace(b, end) == len(b)
}

// member returns the first value of the name in the object b, cut short if b
// is, or nil.
func member(b []byte, name string) (value []byte) {
	members(b, func(key, v []byte) bool {
		if len(key) == len(name)+2 && string(key[1:len(key)-1]) == name {
			value = v
		}
		return value == nil
	})
	return value
}

// memberOn returns b from the value on that member returns: where that ends is
// not looked for.
func memberOn(b []byte, name string) []byte {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil
	}
	for i++; ; i++ {
		i = skipSpace(b, i)
		end, ok := i, false
		if i < len(b) && b[i] == '"' {
			end, ok = skipString(b, i)
		}
		colon := skipSpace(b, end)
		if !ok || colon >= len(b) || b[colon] != ':' {
			return nil
		}
		value := skipSpace(b, colon+1)
		if string(b[i+1:end-1]) == name {
			return b[value:]
		}
		end, ok = skipValue(b, value)
		if i = skipSpace(b, end); !ok || i >= len(b) || b[i] != ',' {
			return nil
		}
	}
}

// members calls f with each member of the object b, the name with its quotes,
// until that returns false. A value is cut short if b is. It reports whether b
// is an object that was gone through to its end.
func members(b []byte, f func(key, value []byte) bool) bool {
	_, whole := membersTo(b, f)
	return whole
}

// membersTo is members, and returns where an object ends that is whole.
func membersTo(b []byte, f func(key, value []byte) bool) (end int, whole bool) {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return 0, false
	}
	for i++; ; {
		i = skipSpace(b, i)
		if i < len(b) && b[i] == '}' {
			return i + 1, true
		}
		if i >= len(b) || b[i] != '"' {
			return 0, false
		}
		end, ok := skipString(b, i)
		if !ok {
			return 0, false
		}
		key := b[i:end]
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ':' {
			return 0, false
		}
		i = skipSpace(b, i+1)
		end, ok = skipValue(b, i)
		if !f(key, b[i:end]) || !ok {
			return 0, false
		}
		i = skipSpace(b, end)
		switch {
		case i < len(b) && b[i] == '}':
			return i + 1, true
		case i >= len(b) || b[i] != ',':
			return 0, false
		}
		i++
	}
}

// elements returns the elements of the array b. If b is cut short, rest is the
// element that is.
func elements(b []byte) (whole []json.RawMessage, rest []byte) {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil, nil
	}
	for i++; ; {
		i = skipSpace(b, i)
		if i >= len(b) || b[i] == ']' {
			return whole, nil
		}
		end, ok := skipValue(b, i)
		if !ok {
			return whole, b[i:]
		}
		if end == i {
			return whole, nil // not JSON
		}
		whole = append(whole, b[i:end])
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ',' {
			return whole, nil
		}
		i++
	}
}

// integer reads an integer of at most 63 bits.
func integer(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}
