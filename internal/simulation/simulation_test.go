// Package simulation plays the whole hotline in one process: the shipped book,
// the engine, the seals, a store with faults and both edges, between the two
// stand-ins, with people, officers, crashes, outages and a clock of its own. A
// seed decides everything:
//
//	SUAR_SEED=17 go test ./internal/simulation -run Simulation -v
//
// plays one again, with its trace; see settings for the rest.
package simulation

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"

	"filippo.io/age"

	"suar/flows"
	"suar/internal/seal"
)

// mostFailed is how many seeds are told of; then no more are played.
const mostFailed = 4

// TestSimulation plays seeds.
func TestSimulation(t *testing.T) {
	s, workers := settings()
	if workers > 1 {
		playShares(t, s, workers)
		return
	}
	k := newKeys(t)
	met := map[string]int{}
	failed := 0
	for seed := s.first; seed <= s.last; seed += s.step {
		r := playSeed(t, seed, k, mutant{}, met)
		if s.first == s.last {
			t.Logf("%s", strings.Join(r.trace, "\n"))
		}
		if len(r.faults) > 0 {
			t.Errorf("%s", r.story(seed))
			if failed++; failed == mostFailed {
				return
			}
		}
	}
	t.Logf("seeds %d to %d, each %d.: %v", s.first, s.last, s.step, met)
	if (s.last-s.first)/s.step < seeds-1 || !enough {
		return
	}
	for _, what := range []string{
		"store refused", "store lost", "conflict", "duplicate", "lease lost", "crash at a call", "suspended", "restart",
		"telegram refused", "telegram lost", "telegram half", "telegram too many", "telegram page", "slow",
		"mattermost refused", "mattermost lost", "mattermost half", "mattermost too many", "mattermost page", "websocket cut",
		"outage of telegram", "outage of mattermost", "outage of store", "machine off", "clock jump", "hook lost",
		"blocked", "leaves or erases", "double tap", "stale tap", "officer edits", "officer deletes",
		"cards", "transcripts", "words arrived", "reply reached", "calls checked",
		"told ui.status.alerting", "told ui.status.late", "told ui.status.claimed", "told ui.status.closed", "told ui.status.stuck",
	} {
		if met[what] == 0 {
			t.Errorf("the simulation never met: %s", what)
		}
	}
}

// A result is what a seed came to.
type result struct{ faults, trace []string }

// playSeed plays a seed in a time of its own.
func playSeed(t *testing.T, seed uint64, k *keys, m mutant, met map[string]int) (r result) {
	t.Helper()
	// One at a time they run anyway, and so they need not be handed from core
	// to core.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	cryptotest.SetGlobalRandom(t, seed)
	synctest.Test(t, func(*testing.T) {
		w := newWorld(seed, k, m, met)
		w.play()
		r = result{w.faults, w.trace}
	})
	return r
}

// story tells of a seed that failed, and how to play it again.
func (r result) story(seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d:\n", seed)
	for _, f := range r.faults {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	fmt.Fprintf(&b, "play it again: SUAR_SEED=%d go test ./internal/simulation -run Simulation -v\n", seed)
	// What is only asked again and again says nothing.
	trace := slices.DeleteFunc(slices.Clone(r.trace), func(line string) bool {
		return idle.MatchString(line)
	})
	if n := 60; len(trace) > n {
		fmt.Fprintf(&b, "… %d lines before\n", len(trace)-n)
		trace = trace[len(trace)-n:]
	}
	b.WriteString(strings.Join(trace, "\n"))
	return b.String()
}

var idle = regexp.MustCompile(`(hold|waiting|lease|due|load) ?[a-z0-9]*: through$`)

// directory is what a deployer knows.
const directory = `
numbers:
  - label: {id: Darurat, en: Emergency}
    number: "000"
    verified_on: "1999-12-20"
    verified_by: test
`

// newKeys makes what all worlds share.
func newKeys(t *testing.T) *keys {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	cryptotest.SetGlobalRandom(t, 0)
	d, err := flows.ParseDirectory("directory.yaml", []byte(directory))
	must(err)
	k := &keys{}
	k.book, err = flows.Load(flows.Shipped(), d)
	must(err)
	k.texts, err = readTexts()
	must(err)
	key, err := seal.ParseVaultKey([]byte(strings.Repeat("3c", seal.VaultKeySize-1) + "a7"))
	must(err)
	k.vault = seal.NewVault(key)
	own, err := age.GenerateHybridIdentity()
	must(err)
	k.identity = own
	public := own.Recipient().String()
	k.recipients, err = seal.ParseRecipients([]byte("ayu officer " + public + " " + seal.Fingerprint(public) + "\n"))
	must(err)
	return k
}

func itoa(n int) string { return strconv.Itoa(n) }

// TestReplay plays seeds twice and compares all that happened. What a machine
// takes off its core for longer than the runtime's 10 ms is preempted there, and
// what else is to run at that instant goes first: one seed of all may therefore
// need to be played more often until it plays the same again.
func TestReplay(t *testing.T) {
	s := share{first: 1001, last: 1001 + seeds/6, step: 1}
	if os.Getenv("SUAR_FIRST")+os.Getenv("SUAR_SEED") != "" {
		s, _ = settings()
	}
	k := newKeys(t)
	var unlike []uint64
	for seed := s.first; seed <= s.last; seed += s.step {
		play := func() []string { return playSeed(t, seed, k, mutant{}, map[string]int{}).trace }
		plays := [][]string{play(), play()}
		if !slices.Equal(plays[0], plays[1]) {
			t.Logf("seed %d is not the same twice%s", seed, difference(plays[0], plays[1]))
			unlike = append(unlike, seed)
		}
		for !again(plays) {
			if len(plays) == 6 {
				t.Fatalf("seed %d: no two of %d plays are the same", seed, len(plays))
			}
			plays = append(plays, play())
		}
	}
	if len(unlike) > 1 {
		t.Errorf("seeds %v are not the same twice", unlike)
	}
}

// again reports whether the last play is the same as an earlier one.
func again(plays [][]string) bool {
	last := len(plays) - 1
	return slices.ContainsFunc(plays[:last], func(trace []string) bool { return slices.Equal(trace, plays[last]) })
}

// difference shows where two plays of a seed part.
func difference(a, b []string) string {
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	near := func(trace []string) []string { return trace[max(0, same-40):min(len(trace), same+3)] }
	return fmt.Sprintf(", from line %d on (-first +second):\n%s", same, strings.Join(append(append(near(a), "--- and"), near(b)...), "\n"))
}
