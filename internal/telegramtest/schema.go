package telegramtest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The schema is of Bot API 10.3: draft-07, one definition "params:<method>" and
// one "result:<method>" for each method, and TelegramUpdate. It was generated
// from the types of the npm package @gramio/types 10.3.1 (MIT licence), which
// are generated from Telegram's own page. It knows no lengths and no ranges;
// the methods check those.
//
//go:embed botapi.schema.json.gz
var schemaGzip []byte

const schemaURL = "http://localhost/telegram-bot-api.json"

// A checker holds values against the schema. All servers of a process share
// one. It is read with the first request, and each definition is compiled when
// it is first asked for, so that a server starts at once.
type checker struct {
	definitions map[string]any
	methods     map[string]string // by the name in lower case

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
	props    map[string]map[string]any
}

var schema = sync.OnceValue(loadSchema)

func loadSchema() *checker {
	z, err := gzip.NewReader(bytes.NewReader(schemaGzip))
	if err != nil {
		panic("telegramtest: schema: " + err.Error())
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("telegramtest: schema: " + err.Error())
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic("telegramtest: schema: " + err.Error())
	}
	root := doc.(map[string]any)
	c := &checker{
		definitions: root["definitions"].(map[string]any),
		methods:     map[string]string{},
		compiler:    jsonschema.NewCompiler(),
		compiled:    map[string]*jsonschema.Schema{},
		props:       map[string]map[string]any{},
	}
	for _, m := range root["methods"].([]any) {
		c.methods[strings.ToLower(m.(string))] = m.(string)
	}
	if err := c.compiler.AddResource(schemaURL, doc); err != nil {
		panic("telegramtest: schema: " + err.Error())
	}
	return c
}

// method returns the method's name as the Bot API spells it.
func (c *checker) method(name string) (string, bool) {
	m, ok := c.methods[strings.ToLower(name)]
	return m, ok
}

// properties returns the schemas of a method's parameters by name.
func (c *checker) properties(method string) map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.props[method]; ok {
		return p
	}
	def, _ := c.definitions["params:"+method].(map[string]any)
	def = c.resolve(def)
	props, _ := def["properties"].(map[string]any)
	resolved := make(map[string]any, len(props))
	for name, p := range props {
		m, _ := p.(map[string]any)
		resolved[name] = c.resolve(m)
	}
	c.props[method] = resolved
	return resolved
}

func (c *checker) resolve(def map[string]any) map[string]any {
	for range 8 {
		ref, ok := def["$ref"].(string)
		if !ok {
			break
		}
		def, _ = c.definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	}
	return def
}

// validate checks a decoded value, its numbers json.Number, against a
// definition. A definition that is not there allows an empty object only.
func (c *checker) validate(definition string, v any) error {
	if _, ok := c.definitions[definition]; !ok {
		if m, ok := v.(map[string]any); ok && len(m) > 0 {
			return fmt.Errorf("%s takes no parameters", definition)
		}
		return nil
	}
	sch, err := c.compile(definition)
	if err != nil {
		return fmt.Errorf("compile %s: %w", definition, err)
	}
	return sch.Validate(v)
}

func (c *checker) compile(definition string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sch := c.compiled[definition]
	if sch == nil {
		var err error
		if sch, err = c.compiler.Compile(schemaURL + "#/definitions/" + definition); err != nil {
			return nil, err
		}
		c.compiled[definition] = sch
	}
	return sch, nil
}

// validateJSON is validate for encoded JSON.
func (c *checker) validateJSON(definition string, raw json.RawMessage) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return c.validate(definition, v)
}
