package engine

import (
	"fmt"
	"strings"
	"testing"
)

// TestAFloodHasFewEntries: of messages that come together each is in the
// transcript once and in order; the first three by themselves.
func TestAFloodHasFewEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.engine()
	var all []Inbound
	var want []string
	for n := range 100 {
		all = append(all, said(1, n, fmt.Sprintf("words %02d", n)))
		want = append(want, fmt.Sprintf("words %02d", n))
	}
	if err := e.HandleAll(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	lines := w.only()
	if got := len(lines); got != 4 {
		t.Errorf("100 messages are %d entries, want 4", got)
	}
	var got []string
	for _, line := range lines {
		got = append(got, strings.Split(strings.TrimPrefix(line, "person said "), "\n")...)
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the transcript has %q", got)
	}
}

// TestLongMessagesAreGatheredInSeveral: what is gathered stays shorter than a
// record.
func TestLongMessagesAreGatheredInSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []Inbound
	for n := range 20 {
		all = append(all, said(1, n, fmt.Sprintf("%02d", n)+strings.Repeat("x", 3000)))
	}
	if err := w.engine().HandleAll(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	lines := w.only()
	if len(lines) < 10 || len(lines) > 14 {
		t.Errorf("20 long messages are %d entries", len(lines))
	}
	if n := strings.Count(strings.Join(lines, ""), "x"); n != 20*3000 {
		t.Errorf("%d signs of %d are there", n, 20*3000)
	}
}
