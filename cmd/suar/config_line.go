package main

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// at returns the line of the configuration that a fault is about, 0 if none is.
// A fault begins with its key, the sections before it with dots between; of one
// that is missing it is the line of its section.
func (l *loading) at(fault string) int {
	end := strings.IndexFunc(fault, func(r rune) bool { return !strings.ContainsRune(lowerCase+"._", r) })
	if end < 0 {
		end = len(fault)
	}
	if l.root == nil || len(l.root.Content) == 0 {
		return 0
	}
	node, found := l.root.Content[0], 0
	for name := range strings.SplitSeq(strings.Trim(fault[:end], "."), ".") {
		key, value := pair(node, name)
		if key == nil {
			// The key of a secret is the one of its file.
			key, value = pair(node, name+"_file")
		}
		if key == nil {
			break
		}
		node, found = value, key.Line
	}
	return found
}

// pair is a key of a mapping with its value, nil if it is not there.
func pair(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}
