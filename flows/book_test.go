package flows_test

import (
	"testing"

	"suar/flows"
)

func TestShippedBook(t *testing.T) {
	b, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatalf("the shipped book has faults:\n%v", err)
	}
	screens, texts := b.Size()
	if screens < 30 || texts < 200 {
		t.Errorf("the shipped book has %d screens and %d texts, so some of it was not read", screens, texts)
	}
}
