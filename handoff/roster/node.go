package roster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"suar/internal/spelling"
)

// A Fault is one thing that is wrong with a roster. It names lines, never an
// officer.
type Fault struct {
	// Line is 0 if the fault is not in one line.
	Line int
	What string
}

func (f Fault) Error() string {
	if f.Line == 0 {
		return f.What
	}
	return fmt.Sprintf("line %d: %s", f.Line, f.What)
}

// mostFaults are told at once: who sees more mends the first ones first.
const mostFaults = 100

// faults collects what is wrong.
type faults struct{ list []Fault }

func (f *faults) add(line int, format string, args ...any) {
	f.list = append(f.list, Fault{line, fmt.Sprintf(format, args...)})
}

func (f *faults) join() error {
	slices.SortStableFunc(f.list, func(x, y Fault) int { return cmp.Compare(x.Line, y.Line) })
	var all []error
	for i, fault := range f.list {
		if i == mostFaults {
			all = append(all, fmt.Errorf("and %d more", len(f.list)-i))
			break
		}
		all = append(all, fault)
	}
	return errors.Join(all...)
}

// A mapping is one of the file's, with the keys that are known there.
type mapping struct {
	faults *faults
	line   int
	values map[string]*yaml.Node
}

// mapping reads a node that must be a mapping. What is no mapping has no keys.
func (f *faults) mapping(n *yaml.Node, known ...string) mapping {
	m := mapping{faults: f, line: n.Line, values: map[string]*yaml.Node{}}
	if n.Kind != yaml.MappingNode {
		f.add(n.Line, "want keys with their values: %s", strings.Join(known, ", "))
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			hint := "; known here are " + strings.Join(known, ", ")
			if best := spelling.Nearest(key.Value, known); best != "" {
				hint = fmt.Sprintf("; is %q meant?", best)
			}
			f.add(key.Line, "this key is not known%s", hint)
		case m.values[key.Value] != nil:
			f.add(key.Line, "the key %q is here twice", key.Value)
		case value.Kind == yaml.AliasNode:
			f.add(value.Line, "anchors and aliases are not read: write it out")
		case value.ShortTag() == "!!null": // As if it were not there.
		default:
			m.values[key.Value] = value
		}
	}
	return m
}

// text is a value that must be a single one, "" if there is none.
func (m mapping) text(key string) string {
	n := m.values[key]
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!binary" {
		m.faults.add(n.Line, "%s: want one value", key)
		return ""
	}
	return n.Value
}

// must is text for a value that has to be there.
func (m mapping) must(key string) string {
	if m.values[key] == nil {
		m.faults.add(m.line, "%s is missing", key)
	}
	return m.text(key)
}

// lineOf is where a value stands, and where its mapping does if there is none.
func (m mapping) lineOf(key string) int {
	if n := m.values[key]; n != nil {
		return n.Line
	}
	return m.line
}

// list is a value that must be a list, nil if there is none.
func (m mapping) list(key string) []*yaml.Node {
	n := m.values[key]
	switch {
	case n == nil:
		return nil
	case n.Kind != yaml.SequenceNode:
		m.faults.add(n.Line, "%s: want a list", key)
		return nil
	}
	return n.Content
}

// texts is a list of single values.
func (m mapping) texts(key string) []string {
	var out []string
	for _, n := range m.list(key) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
			m.faults.add(n.Line, "%s: want a list of single values", key)
			continue
		}
		out = append(out, n.Value)
	}
	return out
}

// parsed reads a value that has to be there in a form of its own; like says how it
// is written.
func parsed[T any](m mapping, key, like string, parse func(string) (T, bool)) T {
	var none T
	text := m.must(key)
	if text == "" {
		if m.values[key] != nil {
			m.faults.add(m.lineOf(key), "%s: write it like %s", key, like)
		}
		return none
	}
	v, ok := parse(text)
	if !ok {
		m.faults.add(m.lineOf(key), "%s: write it like %s", key, like)
		return none
	}
	return v
}
