package bot

import (
	"bytes"
	"time"
)

// A plain is what the head of an answer says, if it is of the form that nearly
// all are: HTTP/1.1, with a length, not encoded.
type plain struct {
	status, length int
	after          time.Duration
	open           bool // the connection stays open
}

// head returns the head of the next answer with the empty line at its end, which
// stays in the buffer; or the beginning of one that is longer than the buffer.
func (c *line) head() ([]byte, error) {
	for {
		seen, _ := c.in.Peek(c.in.Buffered())
		if i := bytes.Index(seen, []byte("\r\n\r\n")); i >= 0 {
			return seen[:i+4], nil
		}
		if len(seen) == c.in.Size() {
			return seen, nil
		}
		if _, err := c.in.Peek(len(seen) + 1); err != nil {
			return nil, err
		}
	}
}

// parsePlain reads a head. It is false for whatever is not plain, or not right:
// that is left to net/http.
func parsePlain(head []byte) (p plain, ok bool) {
	rest, ok := bytes.CutPrefix(head, []byte("HTTP/1.1 "))
	if !ok {
		return p, false
	}
	status, rest, ok := bytes.Cut(rest, []byte("\r\n"))
	if !ok || len(status) < 3 || len(status) > 3 && status[3] != ' ' || broken(status) {
		return p, false
	}
	if p.status, ok = digits(status[:3]); !ok || p.status < 200 || p.status == 204 || p.status == 304 {
		return p, false
	}
	p.open, p.length = true, -1
	for {
		var field []byte
		if field, rest, ok = bytes.Cut(rest, []byte("\r\n")); !ok {
			return p, false
		}
		if len(field) == 0 {
			return p, p.length >= 0 && len(rest) == 0
		}
		name, value, ok := bytes.Cut(field, []byte(":"))
		if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") || broken(field) {
			return p, false
		}
		value = bytes.Trim(value, " \t")
		switch len(name) { // Few names are as long as one of these.
		case len("Content-Length"):
			if bytes.EqualFold(name, []byte("Content-Length")) {
				if p.length >= 0 {
					return p, false
				}
				if p.length, ok = digits(value); !ok {
					return p, false
				}
			}
		case len("Connection"):
			if bytes.EqualFold(name, []byte("Connection")) && !bytes.EqualFold(value, []byte("keep-alive")) {
				return p, false
			}
		case len("Retry-After"):
			if bytes.EqualFold(name, []byte("Retry-After")) {
				p.after = retryAfter(string(value))
			}
		case len("Content-Encoding"):
			if bytes.EqualFold(name, []byte("Content-Encoding")) {
				return p, false
			}
		case len("Transfer-Encoding"):
			if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
				return p, false
			}
		}
	}
}

// broken reports whether others may take a line for two.
func broken(line []byte) bool {
	return bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0
}

// digits reads a number that is written with one to nine digits and nothing
// else.
func digits(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}
