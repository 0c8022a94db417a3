package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/internal/seal"
)

// keeperFlow is testFlow in which "keep X" keeps the sum of X, "check X" asks
// whether X is what was kept, "hear X" does so if there is time, and "index X" asks for what X is looked up by. The words
// are relayed when they come back.
type keeperFlow struct{ testFlow }

func (f keeperFlow) Step(s flows.State, m flows.Moment, ev flows.Event) (flows.State, []flows.Effect) {
	if s.Case != nil {
		c := *s.Case
		s.Case = &c
	}
	switch ev := ev.(type) {
	case flows.Said:
		what, text, _ := strings.Cut(ev.Text, " ")
		if s.Case != nil && (what == "hear" || what == "check") {
			s.Case.Checking++
		}
		switch what {
		case "keep":
			return s, []flows.Effect{flows.Hash{For: "word", Text: text}}
		case "index":
			return s, []flows.Effect{flows.Hash{For: "index", Text: text, Index: true}}
		case "hear":
			return s, []flows.Effect{flows.Check{For: "said", Note: "label", Sums: []string{"no sum", s.Note}, Text: text, Within: 5 * time.Second}}
		case "check":
			return s, []flows.Effect{flows.Check{For: "said", Note: "label", Sums: []string{"no sum", s.Note}, Text: text}}
		}
	case flows.Hashed:
		if ev.For == "index" {
			return s, []flows.Effect{flows.Relay{Label: "index", Text: ev.Sum}}
		}
		s.Note = ev.Sum
		return s, nil
	case flows.Checked:
		if s.Case != nil {
			s.Case.Checking--
		}
		return s, []flows.Effect{flows.Relay{Label: fmt.Sprint(ev.For, " ", ev.Note, " ", ev.Match), Text: ev.Text}}
	}
	return f.testFlow.Step(s, m, ev)
}

func newKeeperWorld(t *testing.T) *world {
	w := newWorld(t)
	w.flow = keeperFlow{}
	w.cost = seal.PhraseCost{Passes: 1, Memory: 64}
	return w
}

// relayed are the words that came to the officers.
func (w *world) relayed() []string {
	var out []string
	for _, d := range w.channel.deliveries() {
		if r, ok := d.Effect.(flows.Relay); ok {
			out = append(out, strings.TrimSpace(r.Label+": "+r.Text))
		}
	}
	return out
}

func TestKeeperKnowsTheWordAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		e := w.engine()
		w.run(e)
		for n, text := range []string{"open", "keep Rendang  Padang", "check other", "check  rendang padang ", "check 🥭", "check " + strings.Repeat("a", 4096)} {
			w.handle(e, said(1, n, text))
			synctest.Wait()
		}
		want := []string{
			": open", "said label -1: other", "said label 1:  rendang padang", "said label -1: 🥭",
			"said label -1: " + strings.Repeat("a", 4096),
		}
		if got := w.relayed(); !slices.Equal(got, want) {
			t.Errorf("relayed %.40q, want %.40q", got, want)
		}
		w.mustBeEmpty(e)
		w.mustBeSilent()
	})
}

// TestKeeperIndex: what a text is looked up by is the same for everybody on the
// store, and nothing by which the text could be guessed without the key.
func TestKeeperIndex(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		first := w.engine()
		stop := w.run(first)
		w.handle(first, said(1, 0, "open"))
		w.handle(first, said(1, 1, "index padi sawah"))
		synctest.Wait()
		stop()
		second := w.engine()
		w.run(second)
		w.handle(second, said(2, 0, "open"))
		w.handle(second, said(2, 1, "index PADI  sawah"))
		w.handle(second, said(2, 2, "index padi laut"))
		synctest.Wait()
		got := w.relayed()
		if len(got) != 5 || got[1] != got[3] || got[1] == got[4] {
			t.Errorf("indices %q", got)
		}
	})
}

// TestKeeperHoldsUpNobody: a thousand words of one person that wait to be
// compared do not delay another's danger tap, nor that person's own.
func TestKeeperHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		e := w.engine()
		var busy, most atomic.Int32
		release := make(chan struct{})
		e.keeper = func(ef flows.Effect) (flows.Event, error) {
			most.Store(max(most.Load(), busy.Add(1)))
			defer busy.Add(-1)
			<-release
			return e.compute(ef)
		}
		w.run(e)
		for n := range 1000 {
			w.handle(e, said(1, n, fmt.Sprint("check ", n)))
		}
		w.handle(e, said(2, 0, "danger"))
		w.handle(e, said(1, 1000, "danger"))
		synctest.Wait()
		opened := 0
		for _, d := range w.channel.deliveries() {
			if _, ok := d.Effect.(flows.Open); ok {
				opened++
			}
		}
		if opened != 2 {
			t.Errorf("%d cards while the keeper is busy, want both", opened)
		}
		if s, err := e.Status(t.Context()); err != nil || s.Waiting[flows.Keeper] != 1000 {
			t.Errorf("%d words wait at the keeper (%v), want all", s.Waiting[flows.Keeper], err)
		}
		close(release)
		synctest.Wait()
		var want []string
		for n := range 1000 {
			want = append(want, fmt.Sprintf("said label -1: %d", n))
		}
		got := slices.DeleteFunc(w.relayed(), func(s string) bool { return s == ": danger" })
		if !slices.Equal(got, want) {
			t.Errorf("the words came in another order, or not all: %d of them", len(got))
		}
		if most.Load() != 1 {
			t.Errorf("%d computations at once, want one: each takes 64 MiB", most.Load())
		}
	})
}

// TestKeeperAfterACrash: what was being compared when the process died is
// compared by the next one, in its order.
func TestKeeperAfterACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		dying := w.engine()
		dying.keeper = func(flows.Effect) (flows.Event, error) { return nil, fmt.Errorf("the process dies: %w", errHung) }
		stop := w.run(dying)
		w.handle(dying, said(1, 0, "open"))
		for n := range 5 {
			w.handle(dying, said(1, n+1, fmt.Sprint("check ", n)))
		}
		synctest.Wait()
		stop()
		e := w.engine()
		w.run(e)
		time.Sleep(2 * time.Minute) // By the bubble's clock: until its lease or its pause is over.
		synctest.Wait()
		want := []string{": open"}
		for n := range 5 {
			want = append(want, fmt.Sprintf("said label -1: %d", n))
		}
		if got := w.relayed(); !slices.Equal(got, want) {
			t.Errorf("relayed %.40q, want %.40q", got, want)
		}
		w.mustBeEmpty(e)
	})
}

// TestKeeperForgetsTheErased: what waits of a conversation that was erased
// comes to nothing, and does not begin it anew.
func TestKeeperForgetsTheErased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		e := w.engine()
		w.handle(e, said(1, 0, "open"))
		w.handle(e, said(1, 1, "check gone"))
		gone := said(1, 2, "")
		gone.Event = flows.Asked{What: flows.AskDelete}
		w.handle(e, gone)
		w.run(e)
		synctest.Wait()
		for _, text := range w.relayed() {
			if strings.Contains(text, "gone") {
				t.Errorf("relayed %q of a conversation that was erased", text)
			}
		}
		w.mustBeEmpty(e)
	})
}

// TestDuressAfterACrash: the shipped conversation. A phrase is set, words and the
// phrase wait for the keeper when the process dies, and the next one passes the
// words on in their order, warns the officers and shows the cover.
func TestDuressAfterACrash(t *testing.T) {
	t.Parallel()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		w.flow = book
		first := w.engine()
		stop := w.run(first)
		n := 0
		says := func(e *Engine, text string) {
			n++
			w.handle(e, said(1, n, text))
			synctest.Wait()
		}
		presses := func(label string) {
			t.Helper()
			v := w.lastView()
			for _, row := range v.Rows {
				for _, b := range row {
					if b.Label == label {
						n++
						in := said(1, n, "")
						in.Event = flows.Chose{Data: b.Data}
						w.handle(first, in)
						synctest.Wait()
						return
					}
				}
			}
			t.Fatalf("no button %q beneath %q", label, v.Text)
		}
		begin := said(1, 0, "")
		begin.Event = flows.Started{}
		w.handle(first, begin)
		synctest.Wait()
		presses("English")
		says(first, "help "+canary)
		presses("More")
		presses("Check word")
		presses("Set a danger phrase")
		says(first, "how is the weather")
		stop()

		dying := w.engine()
		dying.keeper = func(flows.Effect) (flows.Event, error) { return nil, errHung }
		stop = w.run(dying)
		for _, text := range []string{"one", "two", "how is the weather", "three"} {
			says(dying, text)
		}
		stop()
		next := w.engine()
		w.run(next)
		time.Sleep(2 * time.Minute) // By the bubble's clock: until leases and pauses are over.
		synctest.Wait()

		var got []string
		paged := false
		for _, d := range w.channel.deliveries() {
			switch ef := d.Effect.(type) {
			case flows.Relay:
				got = append(got, ef.Text)
			case flows.Page:
				paged = true
			}
		}
		if want := []string{"help " + canary, "one", "two", "three"}; !slices.Equal(got, want) {
			t.Errorf("relayed %q, want %q", got, want)
		}
		if !paged {
			t.Error("nobody was called")
		}
		if v := w.lastView(); !strings.HasPrefix(v.Text, "Information from the embassy") {
			t.Errorf("the phrase shows %q", v.Text)
		}
		for name, lines := range w.transcripts() {
			for _, line := range lines {
				if strings.Contains(line, "weather") {
					t.Errorf("transcript %s holds the phrase: %q", name, line)
				}
			}
		}
		w.mustBeSilent()
	})
}

// lastView is what the bubble showed last.
func (w *world) lastView() flows.View {
	var v flows.View
	for _, d := range w.chat.deliveries() {
		if _, ok := d.Effect.(flows.Show); ok && d.View.Text != "" {
			v = d.View
		}
	}
	return v
}

// slowly makes the keeper take as long as it does with real costs, by the bubble's
// clock.
func slowly(e *Engine) {
	e.keeper = func(ef flows.Effect) (flows.Event, error) {
		if check, ok := ef.(flows.Check); !ok || len(check.Sums) > 0 {
			time.Sleep(150 * time.Millisecond)
		}
		return e.compute(ef)
	}
}

// TestNobodyStarvesAtTheKeeper: 120 accounts write without a pause and want
// everything compared. Words of another person come to the officers within seconds,
// and what may be somebody's check word is compared within a minute.
func TestNobodyStarvesAtTheKeeper(t *testing.T) {
	t.Parallel()
	for _, flood := range []string{"hear ", "check "} {
		synctest.Test(t, func(t *testing.T) {
			w := newKeeperWorld(t)
			e := w.engine()
			slowly(e)
			stop := w.run(e)
			const accounts = 120
			n := 1
			for who := range accounts {
				w.handle(e, said(100+who, 0, "open"))
			}
			w.handle(e, said(1, 0, "open"))
			w.handle(e, said(2, 0, "open"))
			write := func() {
				for who := range accounts {
					n++
					w.handle(e, said(100+who, n, flood+fmt.Sprint(who)))
				}
				time.Sleep(time.Second)
			}
			for range 5 {
				write()
			}
			at := e.now()
			came := map[string]time.Duration{}
			for _, text := range []string{"hear the owner's words", "check the owner's word"} {
				w.handle(e, said(1+len(came), 1, text))
				came[text] = 0
			}
			for range 60 {
				write()
				for _, line := range w.relayed() {
					for text, after := range came {
						if _, words, _ := strings.Cut(text, " "); after == 0 && strings.HasSuffix(line, words) {
							came[text] = e.now().Sub(at)
						}
					}
				}
			}
			for text, most := range map[string]time.Duration{"hear the owner's words": 8 * time.Second, "check the owner's word": time.Minute} {
				if after := came[text]; after == 0 || after > most {
					t.Errorf("with %d accounts that write %q, %q came after %v (0 is never), want %v at most", accounts, flood, text, after, most)
				}
			}
			stop()
		})
	}
}

// TestOneOfEachAtTheKeeper: whose words wait has a turn after one of each of the
// others, however many of theirs there are.
func TestOneOfEachAtTheKeeper(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		e := w.engine()
		slowly(e)
		w.run(e)
		for who := range 4 {
			w.handle(e, said(10+who, 0, "open"))
		}
		w.handle(e, said(1, 0, "open"))
		for n := range 50 {
			for who := range 4 {
				w.handle(e, said(10+who, n+1, fmt.Sprint("check many ", who)))
			}
		}
		w.handle(e, said(1, 1, "check one"))
		time.Sleep(10 * 150 * time.Millisecond)
		synctest.Wait()
		if got := w.relayed(); !slices.Contains(got, "said label -1: one") {
			t.Errorf("after ten turns the one has none; relayed are %q", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.mustBeEmpty(e)
	})
}

// TestWordsAreHeardWhenThereIsTime: that words are old is no reason not to compare
// them, only that others are before them.
func TestWordsAreHeardWhenThereIsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		e := w.engine()
		slowly(e)
		w.handle(e, said(1, 0, "open"))
		w.handle(e, said(1, 1, "hear rendang"))
		time.Sleep(time.Hour)
		w.run(e)
		synctest.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := w.relayed(); !slices.Equal(got, []string{": open", "said label -1: rendang"}) {
			t.Errorf("relayed %q", got)
		}
		if s, err := e.Status(t.Context()); err != nil || s.Unheard != 0 {
			t.Errorf("%d words were not compared (%v), want none", s.Unheard, err)
		}
	})
}
