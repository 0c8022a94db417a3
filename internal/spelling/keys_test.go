package spelling

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

type node struct {
	Name   string           `yaml:"name"`
	Parts  []*node          `yaml:"parts,omitempty"`
	By     map[string]*leaf `yaml:"by"`
	Hidden string           `yaml:"-"`
	inner  leaf
}

type leaf struct {
	Name  string `yaml:"name"`
	Place string `yaml:"place"`
}

func TestKeys(t *testing.T) {
	want := []string{"name", "parts", "by", "place"}
	if diff := cmp.Diff(want, Keys(&node{inner: leaf{}})); diff != "" {
		t.Error(diff)
	}
	if got := Keys(nil); got != nil {
		t.Errorf("Keys(nil) = %q", got)
	}
}
