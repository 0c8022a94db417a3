package telegramtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"
)

// params are a request's parameters, decoded; numbers are json.Number.
type params map[string]any

// readParams reads the query and the body: multipart, a form or JSON, as the
// Bot API does. Telegram takes each parameter as a string and parses it by its
// type; so does this, by the schema of each.
func readParams(r *http.Request, properties map[string]any) (params, error) {
	p := params{}
	add := func(values map[string][]string) {
		for k, v := range values {
			if len(v) > 0 {
				p[k] = v[0]
			}
		}
	}
	add(r.URL.Query())
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<20)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			// A call without any parameter has a boundary and no part.
			if !errors.Is(err, io.EOF) {
				return nil, errors.New("can't parse multipart body")
			}
			break
		}
		add(r.MultipartForm.Value)
		for k := range r.MultipartForm.File {
			p[k] = "attach://" + k
		}
	case "application/json":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, errors.New("can't read the body")
		}
		if len(bytes.TrimSpace(body)) == 0 {
			break
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode((*map[string]any)(&p)); err != nil {
			return nil, errors.New("can't parse JSON body")
		}
	default:
		if err := r.ParseForm(); err != nil {
			return nil, errors.New("can't parse form body")
		}
		add(r.PostForm)
	}
	for k, v := range p {
		if v == nil {
			delete(p, k)
			continue
		}
		text, ok := v.(string)
		if !ok {
			continue
		}
		if !utf8.ValidString(text) {
			return nil, errors.New("strings must be encoded in UTF-8")
		}
		if property, _ := properties[k].(map[string]any); property["type"] == "string" {
			continue
		}
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.UseNumber()
		var decoded any
		if d.Decode(&decoded) == nil && !d.More() {
			p[k] = decoded
		}
	}
	return p, nil
}

func (p params) text(name string) string {
	switch v := p[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func (p params) flag(name string) bool {
	v, _ := p[name].(bool)
	return v
}

// number returns the parameter, or otherwise if it is absent or no integer.
func (p params) number(name string, otherwise int64) int64 {
	n, ok := p[name].(json.Number)
	if !ok {
		return otherwise
	}
	i, err := n.Int64()
	if err != nil {
		return otherwise
	}
	return i
}

func (p params) list(name string) []any {
	v, _ := p[name].([]any)
	return v
}

func (p params) chat() int64 { return p.number("chat_id", 0) }

// ids returns a list of integers.
func (p params) ids(name string) ([]int, error) {
	var out []int
	for _, v := range p.list(name) {
		n, ok := v.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%s must be integers", name)
		}
		i, err := n.Int64()
		if err != nil {
			return nil, fmt.Errorf("%s must be integers", name)
		}
		out = append(out, int(i))
	}
	return out, nil
}
