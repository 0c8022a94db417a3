package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/internal/mattermosttest"
)

// TestTwoHundredPeople carries many people at once through the whole intake to
// a claimed case with 10 messages each way. Nothing is lost, nothing is there
// twice, the order is kept in each thread, and nobody's words are in another's.
func TestTwoHundredPeople(t *testing.T) {
	t.Parallel()
	people := 200
	if testing.Short() {
		people = 20
	}
	h := newHotline(t, mattermosttest.Real(t), unchecked)
	const rounds = 10
	c := newCrowd(t, h, people, rounds)
	h.start()
	began := time.Now()
	ctx := patientFor(t, 2*patience)
	stop := c.probe(ctx)
	c.live(ctx)
	took := time.Since(began)
	stop()
	c.settled()
	h.stop()
	c.verify()
	c.transcripts()
	t.Logf("%d people, %d messages relayed and %d replies in %v: %.0f a second",
		people, people*(rounds+1), people*rounds, took.Round(time.Millisecond), float64(people*(2*rounds+1))/took.Seconds())
	t.Logf("from the danger tap to the post: %v when all tap at once, %v while all are talking",
		spread(c.alerts), spread(c.probes))
}

// A crowd is many people and the officers who answer them.
type crowd struct {
	t      testing.TB
	h      *hotline
	screen *screen
	// rounds is how many messages each way there are at least; more, when it is
	// set, says whether there should be more.
	rounds  int
	more    func() bool
	people  []*caller
	crashes bool // suar is killed meanwhile: what is sent to Telegram may be there twice
	outages bool // Mattermost is killed meanwhile: officers try again

	mu     sync.Mutex
	alerts []time.Duration // from the danger tap until the card was seen
	probes []time.Duration // the same of those who come one after the other
}

// A caller is one of a crowd.
type caller struct {
	person
	tag     string
	steps   []string
	danger  bool
	thread  *thread
	officer mattermosttest.Account // who has the case: nobody else speaks to the caller
	said    []string               // in the order in which it was said
	replies []string               // of the officers, in the order in which they were posted
	posts   []string               // their ids
}

// burst is how many messages are written one after the other without waiting.
const burst = 5

func newCrowd(t testing.TB, h *hotline, people, rounds int) *crowd {
	t.Helper()
	c := &crowd{t: t, h: h, rounds: rounds, screen: watch(t, h.world, h.world.Officers[2])}
	for i := range people {
		one := &caller{person: person{Person: h.telegram.Person(int64(500_000 + i))}, tag: fmt.Sprintf("p%04d", i)}
		one.types = one.tag + " the name in the passport"
		switch i % 3 {
		case 0:
			one.steps, one.danger = slices.Concat(danger, dangers), true
		case 1:
			one.steps = victim
		case 2:
			one.steps = family
		}
		c.people = append(c.people, one)
	}
	return c
}

// live lets everybody live through a case at once, and returns when all is said
// and all has arrived.
func (c *crowd) live(ctx context.Context) {
	c.t.Helper()
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		faults []error
	)
	for _, one := range c.people {
		all.Go(func() {
			if err := c.one(ctx, one); err != nil {
				mu.Lock()
				defer mu.Unlock()
				faults = append(faults, fmt.Errorf("%s: %w", one.tag, err))
			}
		})
	}
	all.Wait()
	if len(faults) > 0 {
		c.t.Fatalf("%d of %d did not come through; the first:\n%v", len(faults), len(c.people), errors.Join(faults[:min(3, len(faults))]...))
	}
}

// probe lets further people tap "danger now" one after the other while the
// crowd is talking, and returns what ends it.
func (c *crowd) probe(ctx context.Context) (stop func()) {
	ending, done := make(chan struct{}), make(chan error, 1)
	next := func(n int) error {
		p, err := arrive(ctx, c.h, 600_000+n)
		if err != nil {
			return err
		}
		took, err := p.tap(ctx, c.screen, probeTag+n)
		if err != nil {
			return err
		}
		c.probes = append(c.probes, took)
		return p.hearKey(ctx, "ui.status.alerting")
	}
	go func() {
		for n := 0; ; n++ {
			select {
			case <-ending:
				done <- nil
				return
			case <-time.After(time.Second):
			}
			if err := next(n); err != nil {
				done <- err
				return
			}
		}
	}()
	return func() {
		c.t.Helper()
		close(ending)
		if err := <-done; err != nil {
			c.t.Errorf("who came while all were talking: %v", err)
		}
	}
}

// probeTag is the number of the first probe's tag.
const probeTag = 9000

// one is the life of one caller.
func (c *crowd) one(ctx context.Context, one *caller) error {
	one.Start()
	var tapped time.Time
	for _, step := range one.steps {
		if err := one.step(ctx, step); err != nil {
			return err
		}
		if step == danger[len(danger)-1] {
			tapped = time.Now()
		}
	}
	one.say(0)
	var err error
	if one.thread, err = c.screen.caseOf(ctx, one.tag); err != nil {
		return err
	}
	if one.danger {
		c.mu.Lock()
		c.alerts = append(c.alerts, one.thread.root.seen.Sub(tapped))
		c.mu.Unlock()
	}
	if err := c.claim(ctx, one); err != nil {
		return err
	}
	for k := 0; k < c.rounds || c.more != nil && c.more(); k += burst {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range burst {
				c.reply(one.officer, one, k+i)
			}
		}()
		for i := range burst {
			one.say(k + i + 1)
		}
		<-done
		// All that was said so far is there before more is said.
		if _, err := one.thread.hear(ctx, one.said[len(one.said)-1]); err != nil {
			return err
		}
		if err := one.hear(ctx, one.replies[len(one.replies)-1]); err != nil {
			return err
		}
	}
	return nil
}

// say says the nth thing.
func (one *caller) say(n int) {
	one.said = append(one.said, fmt.Sprintf("%s says %04d", one.tag, n))
	one.Say(one.said[len(one.said)-1])
}

// claim presses the button until the person learns that an officer has the
// case: suar may be away at the moment, or not know the card yet, and an officer
// would press again.
func (c *crowd) claim(ctx context.Context, one *caller) error {
	one.officer = c.h.world.Officers[rand.N(len(c.h.world.Officers))]
	limit := 20 * time.Second
	if c.crashes {
		limit = 2 * time.Second
	}
	for again := c.crashes; ; again = true {
		// Of a press that was taken meanwhile the button is gone.
		if _, err := one.officer.Client().DoPostAction(ctx, one.thread.root.ID, "claim"); err != nil && !again {
			return fmt.Errorf("the press is not taken: %w", err)
		}
		try, cancel := context.WithTimeout(ctx, limit)
		err := one.attended(try)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

// reply posts the nth reply.
func (c *crowd) reply(officer mattermosttest.Account, one *caller, n int) {
	text := fmt.Sprintf("to %s reply %04d", one.tag, n)
	one.replies = append(one.replies, text)
	if c.outages {
		one.posts = append(one.posts, c.h.world.PostOnce(c.t.Context(), officer, one.thread.root.ID, text))
		return
	}
	one.posts = append(one.posts, c.h.world.Post(officer, one.thread.root.ID, text).Id)
}

// messages counts what was said and replied.
func (c *crowd) messages() int {
	n := 0
	for _, one := range c.people {
		n += len(one.said) + len(one.replies)
	}
	return n
}

// settled returns when nothing is on its way any more: every reply is marked as
// sent, which is the last effect of all.
func (c *crowd) settled() {
	c.t.Helper()
	for _, one := range c.people {
		marked(c.t, c.h.world, one.posts[len(one.posts)-1], "white_check_mark")
	}
}

// ours finds what the people of these tests say.
var ours = regexp.MustCompile(`\bp[0-9]{4} (says [0-9]{4}|the name in the passport)`)

// verify holds what is in Mattermost and in the chats against what was said.
func (c *crowd) verify() {
	c.t.Helper()
	w := c.h.world
	if n, want := len(c.screen.roots), len(c.people)+len(c.probes); n != want {
		c.t.Errorf("%d cards were posted for %d people", n, want)
		for _, th := range c.screen.roots {
			c.t.Logf("card %s at %d, key %s, %d posts below it", th.root.ID, th.root.CreateAt, th.root.Props.RelayKey, len(th.posts))
		}
	}
	for _, one := range c.people {
		var said, replies []string
		keys := map[string]bool{}
		for _, p := range w.Thread(one.thread.root.ID) {
			if p.UserId != w.Bot.ID {
				replies = append(replies, p.Message)
				c.mark(p.Id, one)
				continue
			}
			key, _ := p.GetProp("relay_key").(string)
			if key == "" || keys[key] {
				c.t.Errorf("%s: a post of the bot's without a key of its own", one.tag)
			}
			keys[key] = true
			said = append(said, ours.FindAllString(post{Message: p.Message}.text(), -1)...)
		}
		want := slices.Clone(one.said)
		if slices.Contains(one.steps, "type@family.name") {
			want = slices.Insert(want, 0, one.types)
		}
		if diff := cmp.Diff(want, said); diff != "" {
			c.t.Errorf("%s: the thread has not what was said, once and in order (-want +got):\n%s", one.tag, diff)
		}
		if diff := cmp.Diff(one.replies, replies); diff != "" {
			c.t.Errorf("%s: the thread has other replies (-want +got):\n%s", one.tag, diff)
		}
		var heard []string
		for _, m := range one.Chat() {
			if !m.FromBot || !strings.HasPrefix(m.Text, "to p") {
				continue
			}
			// At least once is the contract when the process dies.
			if c.crashes && slices.Contains(heard, m.Text) {
				continue
			}
			heard = append(heard, m.Text)
		}
		if diff := cmp.Diff(one.replies, heard); diff != "" {
			c.t.Errorf("%s: the chat has not the replies of the thread (-want +got):\n%s", one.tag, diff)
		}
	}
}

// mark checks that an officer sees of a reply that it was sent.
func (c *crowd) mark(id string, one *caller) {
	c.t.Helper()
	if all := c.h.world.Reactions(id); !slices.Equal(all, []string{"suar: white_check_mark"}) {
		c.t.Errorf("%s: a reply is marked %v", one.tag, all)
	}
}
