package e2e

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"suar/internal/caseid"
	"suar/internal/seal"
	"suar/storage"
)

// transcripts opens every case of a stopped hotline with the officer's key and
// holds it against what was said. Nothing waits in the outbox.
func (c *crowd) transcripts() {
	c.t.Helper()
	ctx := c.t.Context()
	store, err := storage.OpenEmbedded(c.h.copyOfStore())
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close()
	for _, lane := range []storage.Lane{storage.LaneCaller, storage.LaneOfficers} {
		if n, _, err := store.Waiting(ctx, lane); err != nil || n != 0 {
			c.t.Errorf("%d effects still wait in lane %d (%v)", n, lane, err)
		}
	}
	raw, err := os.ReadFile(c.h.officer)
	if err != nil {
		c.t.Fatal(err)
	}
	ids, err := seal.Identities(raw, func() (string, error) { return passphrase, nil })
	if err != nil {
		c.t.Fatal(err)
	}
	cases := len(c.people) + len(c.probes)
	names, err := store.Transcripts(ctx, "", cases+2)
	names = slices.DeleteFunc(names, func(name string) bool { return name == "audit" }) // The officers' trail.
	if err != nil || len(names) != cases {
		c.t.Fatalf("%d transcripts for %d people (%v)", len(names), cases, err)
	}
	of := map[string]*caller{}
	for _, one := range c.people {
		of[one.tag] = one
	}
	for n := range c.probes {
		tag := fmt.Sprintf("p%d", probeTag+n)
		of[tag] = &caller{tag: tag, said: []string{tag + " says 0000"}}
	}
	for _, name := range names {
		id, err := caseid.Parse(name)
		if err != nil {
			c.t.Fatal(err)
		}
		kept, err := store.Transcript(ctx, name)
		if err != nil {
			c.t.Fatal(err)
		}
		tr, err := seal.ReadTranscript(id, kept.Header, kept.Entries, ids...)
		if err != nil || len(tr.Faults) != 0 || tr.Proven != tr.Count {
			c.t.Errorf("a transcript with faults %v (%v)", tr.Faults, err)
			continue
		}
		var said, replies []string
		for _, e := range tr.Entries {
			switch {
			case e.From == "person" && e.Kind == "said":
				// What is written fast shares an entry, a line each.
				said = append(said, strings.Split(e.Text, "\n")...)
			case strings.HasPrefix(e.From, "officer:") && e.Kind == "replied":
				replies = append(replies, e.Text)
			}
		}
		if len(said) == 0 || of[tag.FindString(said[0])] == nil {
			c.t.Error("a transcript of nobody")
			continue
		}
		one := of[tag.FindString(said[0])]
		delete(of, one.tag)
		if diff := cmp.Diff(one.said, said); diff != "" {
			c.t.Errorf("%s: the transcript has not what was said (-want +got):\n%s", one.tag, diff)
		}
		// Bursts of replies are taken in the order of the thread.
		if diff := cmp.Diff(one.replies, replies); diff != "" {
			c.t.Errorf("%s: the transcript has other replies (-want +got):\n%s", one.tag, diff)
		}
	}
	if len(of) != 0 {
		c.t.Errorf("no transcript of %v", slices.Sorted(maps.Keys(of)))
	}
}
