package crowd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http/httputil"
	"strconv"
)

var (
	errMalformed = errors.New("crowd: not a request of the Bot API")
	errTooLarge  = errors.New("crowd: the body is too large")
)

// maxBody bounds a request; Telegram's messages are far smaller.
const maxBody = 1 << 20

// A request is one call as it came. What it holds is valid until the next one
// is read into it.
type request struct {
	token, method []byte
	kind          []byte // the content type
	body          []byte
}

// read reads the next request of a connection: HTTP/1.1 with a length or in
// chunks, which is all that clients of the Bot API send.
func (r *request) read(br *bufio.Reader) error {
	r.token, r.method, r.kind, r.body = r.token[:0], r.method[:0], r.kind[:0], r.body[:0]
	line, err := br.ReadSlice('\n')
	if err != nil {
		return err
	}
	_, path, _ := bytes.Cut(line, []byte(" "))
	path, _, _ = bytes.Cut(path, []byte(" "))
	path, ok := bytes.CutPrefix(path, []byte("/bot"))
	token, method, found := bytes.Cut(path, []byte("/"))
	if !ok || !found {
		return errMalformed
	}
	r.token, r.method = append(r.token, token...), append(r.method, method...)
	length, chunked := 0, false
	for {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return errMalformed
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("Content-Type")):
			r.kind = append(r.kind, value...)
		}
	}
	if chunked {
		return r.chunks(br)
	}
	if length > maxBody {
		return errTooLarge
	}
	if cap(r.body) < length {
		r.body = make([]byte, length, 2*length)
	}
	r.body = r.body[:length]
	_, err = io.ReadFull(br, r.body)
	return err
}

func (r *request) chunks(br *bufio.Reader) error {
	body := bytes.NewBuffer(r.body)
	if _, err := io.Copy(body, io.LimitReader(httputil.NewChunkedReader(br), maxBody)); err != nil {
		return err
	}
	r.body = body.Bytes()
	// The chunked reader leaves the empty line after the last chunk.
	for {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return nil
		}
	}
}

// parameters calls f with each parameter and its value as JSON.
func (r *request) parameters(f func(name, value []byte)) error {
	kind, rest, _ := bytes.Cut(r.kind, []byte(";"))
	switch string(bytes.TrimSpace(kind)) {
	case "application/json":
		return members(r.body, f)
	case "multipart/form-data":
		_, boundary, ok := bytes.Cut(rest, []byte("boundary="))
		if !ok {
			return errMalformed
		}
		return parts(r.body, bytes.Trim(boundary, `"`), f)
	}
	if len(r.body) == 0 {
		return nil
	}
	return errMalformed
}

// parts reads a multipart body. Each value is a text that is parsed by the type
// of its parameter, as Telegram does: one that must be a text is quoted.
func parts(body, boundary []byte, f func(name, value []byte)) error {
	mark := append([]byte("--"), boundary...)
	for {
		at := bytes.Index(body, mark)
		if at < 0 {
			return nil
		}
		body = body[at+len(mark):]
		if bytes.HasPrefix(body, []byte("--")) {
			return nil
		}
		head, rest, ok := bytes.Cut(body, []byte("\r\n\r\n"))
		if !ok {
			return errMalformed
		}
		_, name, ok := bytes.Cut(head, []byte(`name="`))
		if !ok {
			return errMalformed
		}
		name, _, _ = bytes.Cut(name, []byte(`"`))
		end := bytes.Index(rest, append([]byte("\r\n"), mark...))
		if end < 0 {
			return errMalformed
		}
		value := rest[:end]
		switch string(name) {
		case "text", "callback_query_id":
			value = quote(nil, value)
		}
		f(name, value)
		body = rest[end:]
	}
}
