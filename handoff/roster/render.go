package roster

import (
	"bytes"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// YAML writes the roster as a file that Parse reads as the same roster; comments
// are not kept.
func (r *Roster) YAML() []byte {
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "version", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatUint(r.Version, 10)})
	put(root, "zone", scalar(r.Zone))
	put(root, "officers", block(r.Officers, Officer.node))
	put(root, "shifts", block(r.Shifts, Shift.node))
	put(root, "holidays", block(r.Holidays, Holiday.node))
	put(root, "overrides", block(r.Overrides, Override.node))
	put(root, "swaps", block(r.Swaps, Swap.node))
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		panic("roster: " + err.Error()) // A tree of texts can be written.
	}
	if err := e.Close(); err != nil {
		panic("roster: " + err.Error())
	}
	return out.Bytes()
}

func (o Officer) node() *yaml.Node {
	n := line("name", o.Name, "role", string(o.Role))
	put(n, "languages", flow(o.Languages))
	put(n, "zone", scalar(o.Zone))
	return n
}

func (s Shift) node() *yaml.Node {
	n := line()
	var days []string
	for _, d := range s.Days {
		days = append(days, dayName(d))
	}
	put(n, "days", flow(days))
	for _, kv := range [][2]string{{"from", s.From.String()}, {"to", s.To.String()}, {"zone", s.Zone}, {"first", s.First}, {"second", s.Second}} {
		put(n, kv[0], scalar(kv[1]))
	}
	return n
}

func (h Holiday) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	put(n, "date", scalar(h.Date.String()))
	put(n, "name", scalar(h.Name))
	put(n, "shifts", block(h.Shifts, Shift.node))
	return n
}

func (o Override) node() *yaml.Node {
	return line("from", o.From.String(), "to", o.To.String(), "zone", o.Zone, "first", o.First, "second", o.Second,
		"who", o.Who, "instead_of", o.InsteadOf, "reason", o.Reason, "by", o.By)
}

func (s Swap) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	put(n, "give", s.Give.node())
	put(n, "take", s.Take.node())
	for _, kv := range [][2]string{{"zone", s.Zone}, {"reason", s.Reason}, {"by", s.By}} {
		put(n, kv[0], scalar(kv[1]))
	}
	return n
}

func (h Hours) node() *yaml.Node {
	return line("who", h.Who, "from", h.From.String(), "to", h.To.String())
}

// line is a mapping in one line, of keys and values in turn.
func line(pairs ...string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for i := 0; i+1 < len(pairs); i += 2 {
		put(n, pairs[i], scalar(pairs[i+1]))
	}
	return n
}

// put adds a key with its value, unless the value is nil.
func put(n *yaml.Node, key string, value *yaml.Node) {
	if value != nil {
		n.Content = append(n.Content, scalar(key), value)
	}
}

// scalar is a text, nil for "".
func scalar(text string) *yaml.Node {
	if text == "" {
		return nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// flow is a list in one line, nil for none.
func flow(texts []string) *yaml.Node {
	if len(texts) == 0 {
		return nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, t := range texts {
		n.Content = append(n.Content, scalar(t))
	}
	return n
}

// block is a list with an entry a line, nil for none.
func block[T any](list []T, node func(T) *yaml.Node) *yaml.Node {
	if len(list) == 0 {
		return nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range list {
		n.Content = append(n.Content, node(v))
	}
	return n
}
