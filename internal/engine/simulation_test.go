package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"

	"suar/flows"
	"suar/internal/caseid"
	"suar/internal/seal"
	"suar/storage"
	"suar/storage/storagetest"
)

// TestSimulation plays conversations over one or two processes that crash, over a
// store and edges that fail before and after they did what they were asked,
// with events that come again and leases that run out. A seed decides
// everything, so that a failure can be played again:
//
//	SUAR_SEED=17 go test -run TestSimulation ./internal/engine
//
// SUAR_SEEDS is how many seeds are played.
func TestSimulation(t *testing.T) {
	t.Parallel()
	first, last := 1, 60
	if testing.Short() {
		last = 20
	}
	if n, err := strconv.Atoi(os.Getenv("SUAR_SEEDS")); err == nil {
		last = n
	}
	if n, err := strconv.Atoi(os.Getenv("SUAR_SEED")); err == nil {
		first, last = n, n
	}
	officers, key := testOfficers(t)
	met := map[string]int{}
	for seed := first; seed <= last && !t.Failed(); seed++ {
		synctest.Test(t, func(t *testing.T) {
			s := newSimulation(t, uint64(seed), officers, key, met)
			s.play(150)
			s.calm()
			s.check()
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	}
	t.Logf("%d seeds: %v", last-first+1, met)
	if first == last {
		return
	}
	for _, what := range []string{
		"commit refused", "commit lost", "crash before a commit", "crash after a commit",
		"delivery refused", "delivery lost", "conflict", "duplicate", "lease lost",
		"event again", "reply to a case that ended", "reply before the card is recorded", "alarm", "case ended", "in between",
		"leased with a commit", "events together", "events apart", "outcome rode along", "settled without a ride",
	} {
		if met[what] == 0 {
			t.Errorf("the simulation never met: %s", what)
		}
	}
}

// A simulation is one run. It has one goroutine: what happens at once happens
// in between, at the points where a real process would wait.
type simulation struct {
	*world
	rng     *rand.Rand
	met     map[string]int
	engines []*Engine
	held    []heldLease
	calmed  bool
	depth   int
	alone   bool

	queues  []*queue // by person, then by thread
	threads map[flows.PostID]*queue
	cases   map[flows.PostID]string // code by thread
	known   map[string]bool         // names that a commit had
	chat    *simEdge
	posts   *simEdge
}

// A queue is a source of events that hands over one at a time, in order, until
// it is confirmed.
type queue struct {
	name  string
	made  int
	open  []Inbound
	done  []Inbound
	texts []string // of what was confirmed and not refused
	// tries counts how often each event was handed over.
	tries map[string]int
	// refused are the events that came too late for their case, but not at the
	// first try: that one may have been in time.
	refused []string
}

type heldLease struct {
	engine *Engine
	side   flows.Side
	job    job
	// slot says that it has one: it was leased with a commit.
	slot bool
}

// crash ends a simulated process at the call of the store that it panics in.
type crash struct{ store *simStore }

// A simStore is one process's way to the store.
type simStore struct {
	storage.Store
	sim  *simulation
	dead bool
}

// chance is true in about n of a hundred cases, and never when all is calm.
func (s *simulation) chance(n int, what string) bool {
	if s.calmed || s.rng.IntN(100) >= n {
		return false
	}
	s.met[what]++
	return true
}

func (p *simStore) fault(what string) error {
	if p.dead {
		panic(crash{p})
	}
	if p.sim.chance(3, what+" refused") {
		return storagetest.ErrOutage
	}
	return nil
}

func (p *simStore) Load(ctx context.Context, id string) (storage.Record, error) {
	if err := p.fault("load"); err != nil {
		return storage.Record{}, err
	}
	p.sim.inBetween()
	return p.Store.Load(ctx, id)
}

func (p *simStore) Resolve(ctx context.Context, name string) (string, error) {
	if err := p.fault("resolve"); err != nil {
		return "", err
	}
	return p.Store.Resolve(ctx, name)
}

func (p *simStore) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	if err := p.fault("lease"); err != nil {
		return nil, err
	}
	leased, err := p.Store.Lease(ctx, lane, n, now, until)
	if p.sim.chance(3, "lease lost on the way") {
		return nil, storagetest.ErrOutage
	}
	return leased, err
}

func (p *simStore) Defer(ctx context.Context, l storage.Lease, until time.Time) error {
	if err := p.fault("defer"); err != nil {
		return err
	}
	return p.Store.Defer(ctx, l, until)
}

func (p *simStore) Commit(ctx context.Context, c storage.Commit) error {
	_, err := p.commit(c, func() ([]storage.Leased, error) { return nil, p.Store.Commit(ctx, c) })
	return err
}

func (p *simStore) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	return p.commit(c, func() ([]storage.Leased, error) { return p.Store.CommitAndLease(ctx, c, until, lanes...) })
}

func (p *simStore) commit(c storage.Commit, commit func() ([]storage.Leased, error)) ([]storage.Leased, error) {
	s := p.sim
	if err := p.fault("commit"); err != nil {
		return nil, err
	}
	if s.chance(2, "crash before a commit") {
		p.dead = true
		panic(crash{p})
	}
	s.inBetween()
	if p.dead {
		panic(crash{p})
	}
	leased, err := commit()
	switch {
	case err == nil:
		s.met["leased with a commit"] += len(leased)
		if c.Ack != nil && len(c.Events) > 0 {
			s.met["outcome rode along"]++
		}
		for _, name := range c.Names {
			s.known[name] = true
		}
	case errors.Is(err, storage.ErrConflict):
		s.met["conflict"]++
	case errors.Is(err, storage.ErrDuplicate):
		s.met["duplicate"]++
	case errors.Is(err, storage.ErrLeaseLost):
		s.met["lease lost"]++
	}
	if s.chance(2, "crash after a commit") {
		p.dead = true
		panic(crash{p})
	}
	if s.chance(4, "commit lost") {
		return nil, storagetest.ErrOutage
	}
	return leased, err
}

// A simEdge performs effects. What it makes carries the effect's ID; with
// unique set an ID is made once, as in the officers' channel.
type simEdge struct {
	sim    *simulation
	unique bool
	made   []Delivery
	ids    map[string]int // ID to what it made, from 1
}

func (d *simEdge) Deliver(_ context.Context, del Delivery) (flows.Delivered, error) {
	s := d.sim
	if s.chance(10, "delivery refused") {
		return flows.Delivered{}, &Failure{Status: 503, After: time.Duration(s.rng.IntN(3)) * time.Second}
	}
	s.inBetween()
	if _, ok := del.Effect.(flows.Show); ok && del.Bubble != "" && s.rng.IntN(3) > 0 {
		s.inBetween()
		return flows.Delivered{Message: del.Bubble}, nil // It is edited in place.
	}
	n, again := d.ids[del.ID]
	if !again || !d.unique {
		d.made = append(d.made, del)
		n = len(d.made)
		d.ids[del.ID] = n
	}
	if _, open := del.Effect.(flows.Open); open {
		thread := flows.PostID(fmt.Sprint("post", n))
		if s.cases[thread] == "" {
			s.cases[thread] = del.Card.Code
			q := &queue{name: "mm:" + string(thread)}
			s.queues, s.threads[thread] = append(s.queues, q), q
		}
	}
	s.inBetween()
	if s.chance(8, "delivery lost") {
		return flows.Delivered{}, &Failure{Perhaps: true}
	}
	return flows.Delivered{Message: flows.MessageID(fmt.Sprint("msg", n)), Post: flows.PostID(fmt.Sprint("post", n))}, nil
}

func newSimulation(t *testing.T, seed uint64, officers seal.Recipients, key age.Identity, met map[string]int) *simulation {
	s := &simulation{
		world:   newWorld(t),
		rng:     rand.New(rand.NewPCG(seed, 1)),
		met:     met,
		threads: map[flows.PostID]*queue{},
		cases:   map[flows.PostID]string{},
		known:   map[string]bool{},
	}
	s.officers, s.key = officers, key
	s.chat = &simEdge{sim: s, ids: map[string]int{}}
	s.posts = &simEdge{sim: s, ids: map[string]int{}, unique: true}
	for person := range 3 {
		s.queues = append(s.queues, &queue{name: fmt.Sprint("tg:", person)})
	}
	// Every third has one process, which remembers what it committed.
	s.alone = seed%3 == 0
	s.engines = []*Engine{s.start()}
	if !s.alone {
		s.engines = append(s.engines, s.start())
	}
	return s
}

// start begins a process.
func (s *simulation) start() *Engine {
	s.t.Helper()
	e := s.engineOn(s.world.store)
	e.store = &simStore{Store: s.world.store, sim: s}
	e.memory.alone = s.alone
	e.batches.off = true // What happens in between is the same goroutine's.
	for _, side := range []flows.Side{flows.Caller, flows.Officers} {
		d := e.dispatcher(side, s.chat)
		if side == flows.Officers {
			d = e.dispatcher(side, s.posts)
		}
		d.slots.size, d.slots.least, d.slots.most = 3, 3, 3
		d.slots.setOpen(true)
		// What is begun goes on when it is its turn.
		d.begin = func(j job) { s.held = append(s.held, heldLease{e, side, j, true}) }
		e.serving[d.lane].Store(d)
	}
	return e
}

// run does something with a process that may crash while at it.
func (s *simulation) run(e *Engine, action func()) {
	defer func() {
		if p := recover(); p != nil {
			c, ok := p.(crash)
			if !ok {
				panic(p)
			}
			s.bury(c.store)
		}
	}()
	action()
}

// bury replaces a process that crashed. What it held stays leased.
func (s *simulation) bury(dead *simStore) {
	dead.dead = true
	for i, e := range s.engines {
		if e.store == storage.Store(dead) {
			s.engines[i] = s.start()
		}
	}
	s.held = slices.DeleteFunc(s.held, func(h heldLease) bool { return h.engine.store == storage.Store(dead) })
}

// inBetween lets something else happen while a process waits.
func (s *simulation) inBetween() {
	if s.depth >= 2 || !s.chance(15, "in between") {
		return
	}
	s.depth++
	defer func() { s.depth-- }()
	s.act()
}

func (s *simulation) any() *Engine { return s.engines[s.rng.IntN(len(s.engines))] }

func (s *simulation) play(actions int) {
	for range actions {
		s.act()
	}
}

// act does one thing.
func (s *simulation) act() {
	q := s.queues[s.rng.IntN(len(s.queues))]
	switch n := s.rng.IntN(100); {
	case n < 25:
		s.say(q)
	case n < 50:
		s.handOver(q)
	case n < 55:
		s.again(q)
	case n < 80:
		// What one process leased with a commit it mostly performs at once.
		if s.alone && len(s.held) > 0 && s.rng.IntN(4) > 0 {
			s.performHeld()
			return
		}
		s.dispatch(s.any(), s.side())
	case n < 84:
		s.hold(s.any(), s.side())
	case n < 88:
		s.performHeld()
	case n < 93:
		time.Sleep(time.Duration(s.rng.IntN(90_000)) * time.Millisecond)
	case n < 94:
		time.Sleep(time.Hour)
	case n < 97:
		s.ring(s.any())
	case n < 98:
		s.dismount(s.any())
	default:
		s.bury(s.any().store.(*simStore))
	}
}

func (s *simulation) side() flows.Side {
	if s.rng.IntN(2) == 0 {
		return flows.Caller
	}
	return flows.Officers
}

// say makes the next event of a source: words, or now and then the person's
// leaving.
func (s *simulation) say(q *queue) {
	q.made++
	text := fmt.Sprintf("%s/%03d", q.name, q.made)
	in := Inbound{Name: q.name, ID: text}
	if strings.HasPrefix(q.name, "mm:") {
		in.Event = flows.Replied{Post: flows.PostID(text), Officer: flows.Officer{Name: "ayu-lestari"}, Text: text}
	} else {
		in.Caller = q.name
		in.Event = flows.Said{Text: text}
		if s.rng.IntN(12) == 0 {
			in.Event = flows.Asked{What: flows.AskPrivacy}
		}
	}
	q.open = append(q.open, in)
}

// handOver hands over the source's oldest event that is not confirmed.
func (s *simulation) handOver(q *queue) {
	if len(q.open) == 0 {
		return
	}
	e, in := s.any(), q.open[0]
	if q.tries == nil {
		q.tries = map[string]int{}
	}
	if len(q.open) > 1 && in.Caller != "" && s.rng.IntN(2) == 0 {
		s.handOverAll(e, q)
		return
	}
	q.tries[in.ID]++
	s.run(e, func() {
		err := e.Handle(context.Background(), in)
		if len(q.open) == 0 || q.open[0].ID != in.ID {
			return // Somebody else handed it over in between.
		}
		switch {
		case err == nil:
			if in.Caller != "" {
				if said, ok := in.Event.(flows.Said); ok {
					q.texts = append(q.texts, said.Text)
				}
			} else {
				q.texts = append(q.texts, in.ID)
			}
		case errors.Is(err, ErrUnknown) && !s.known[s.vault.Blind("name", in.Name)]:
			// The card is there and not yet recorded: the edge waits for that.
			s.met["reply before the card is recorded"]++
			return
		case errors.Is(err, ErrUnknown):
			s.met["reply to a case that ended"]++
			if q.tries[in.ID] > 1 {
				q.refused = append(q.refused, in.ID)
			}
		default:
			return
		}
		q.done, q.open = append(q.done, in), q.open[1:]
	})
}

// handOverAll hands over several of a person's events at once.
func (s *simulation) handOverAll(e *Engine, q *queue) {
	ins := slices.Clone(q.open[:2+s.rng.IntN(len(q.open)-1)])
	s.run(e, func() {
		if err := e.HandleAll(context.Background(), ins); err != nil {
			s.met["events apart"]++
			return // One by one, when it is the source's turn again.
		}
		s.met["events together"]++
		for _, in := range ins {
			if len(q.open) == 0 || q.open[0].ID != in.ID {
				return // Somebody else handed them over in between.
			}
			if said, ok := in.Event.(flows.Said); ok {
				q.texts = append(q.texts, said.Text)
			}
			q.done, q.open = append(q.done, in), q.open[1:]
		}
	})
}

// again hands over an event that was confirmed before.
func (s *simulation) again(q *queue) {
	if len(q.done) == 0 {
		return
	}
	s.met["event again"]++
	e, in := s.any(), q.done[s.rng.IntN(len(q.done))]
	s.run(e, func() { _ = e.Handle(context.Background(), in) })
}

func (*simulation) dispatcher(e *Engine, side flows.Side) *dispatcher {
	if side == flows.Caller {
		return e.serving[storage.LaneCaller].Load()
	}
	return e.serving[storage.LaneOfficers].Load()
}

func (s *simulation) lease(e *Engine, side flows.Side) []storage.Leased {
	d := s.dispatcher(e, side)
	mark, n := d.slots.mark(), 1+s.rng.IntN(3)
	leased, err := d.lease(context.Background(), n)
	if err != nil && !errors.Is(err, storagetest.ErrOutage) {
		s.t.Errorf("lease: %v", err)
	}
	if err == nil && d.may() && len(leased) < n {
		d.slots.caughtUp(mark)
	}
	return leased
}

func (s *simulation) dispatch(e *Engine, side flows.Side) {
	s.run(e, func() {
		for _, l := range s.lease(e, side) {
			s.dispatcher(e, side).perform(context.Background(), job{Leased: l})
		}
	})
}

// hold leases and does nothing about it for a while.
func (s *simulation) hold(e *Engine, side flows.Side) {
	s.run(e, func() {
		for _, l := range s.lease(e, side) {
			s.held = append(s.held, heldLease{e, side, job{Leased: l}, false})
		}
	})
}

func (s *simulation) performHeld() {
	if len(s.held) == 0 {
		return
	}
	i := s.rng.IntN(len(s.held))
	h := s.held[i]
	s.held = slices.Delete(s.held, i, i+1)
	s.run(h.engine, func() {
		d := s.dispatcher(h.engine, h.side)
		if h.slot {
			d.complete(context.Background(), h.job)
		} else {
			d.perform(context.Background(), h.job)
		}
	})
}

// dismount settles what waited too long for a ride.
func (s *simulation) dismount(e *Engine) {
	for _, r := range e.memory.dismount(time.Now()) {
		s.met["settled without a ride"]++
		s.run(e, func() { r.settle(context.Background()) })
	}
}

func (s *simulation) ring(e *Engine) {
	now := time.Now()
	due, err := s.world.store.Due(context.Background(), now, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range due {
		s.met["alarm"]++
		s.run(e, func() { _ = e.alarm(context.Background(), id, now) })
	}
}

// calm mends everything and lets what waits come to its end.
func (s *simulation) calm() {
	s.calmed = true
	for range 200 {
		waiting := len(s.held)
		for len(s.held) > 0 {
			s.performHeld()
		}
		for _, q := range s.queues {
			waiting += len(q.open)
			for range len(q.open) {
				s.handOver(q)
			}
		}
		for _, e := range s.engines {
			s.dismount(e)
			s.dispatch(e, flows.Caller)
			s.dispatch(e, flows.Officers)
		}
		st, err := s.engines[0].Status(context.Background())
		if err != nil {
			s.t.Fatal(err)
		}
		if waiting+st.Waiting[flows.Caller]+st.Waiting[flows.Officers] == 0 {
			return
		}
		time.Sleep(20 * time.Second)
	}
	s.t.Error("it never comes to its end")
}

// apart gives messages a line each that share an entry.
func apart(transcript []string) (lines []string) {
	for _, line := range transcript {
		said, many := strings.CutPrefix(line, "person said ")
		if !many {
			lines = append(lines, line)
			continue
		}
		for text := range strings.SplitSeq(said, "\n") {
			lines = append(lines, "person said "+text)
		}
	}
	return lines
}

// check compares what came of all that was said.
func (s *simulation) check() {
	s.t.Helper()
	lines := map[string]int{}     // how often a line is in the transcripts
	caseOf := map[string]string{} // code by text
	for name, transcript := range s.transcripts() {
		id, err := caseid.Parse(name)
		if err != nil {
			s.t.Fatal(err)
		}
		last := map[string]string{}
		for _, line := range apart(transcript) {
			lines[line]++
			from, text, _ := cut(line)
			if from == "person left" {
				s.met["case ended"]++
			}
			if text == "" {
				continue
			}
			switch from {
			case "person said":
				caseOf[text] = id.Code()
			case "officer:ayu-lestari replied":
				thread, _, _ := strings.Cut(strings.TrimPrefix(text, "mm:"), "/")
				if got := s.cases[flows.PostID(thread)]; got != id.Code() {
					s.t.Errorf("%q is in the transcript of case %q, its thread is of case %q", text, id.Code(), got)
				}
			}
			source, _, _ := strings.Cut(text, "/")
			if text <= last[from+source] {
				s.t.Errorf("transcript: %q comes after %q", line, last[from+source])
			}
			last[from+source] = text
		}
	}
	for _, q := range s.queues {
		who, sent := "person said ", s.posts
		if strings.HasPrefix(q.name, "mm:") {
			who, sent = "officer:ayu-lestari replied ", s.chat
		}
		for _, text := range q.refused {
			if lines[who+text] > 0 {
				s.met["refused after it was in time"]++
				q.texts = append(q.texts, text)
			}
		}
		slices.Sort(q.texts)
		for _, text := range q.texts {
			if n := lines[who+text]; n != 1 {
				s.t.Errorf("%q is %d times in the transcripts", text, n)
			}
		}
		if n := s.lines(lines, who+q.name+"/"); n != len(q.texts) {
			s.t.Errorf("%s: %d lines in the transcripts, %d events were confirmed", q.name, n, len(q.texts))
		}
		s.checkSent(q, sent, caseOf)
		if sent == s.chat {
			for _, text := range q.texts {
				if n := lines["bot arrived "+text]; n > 1 {
					s.t.Errorf("%q arrived %d times", text, n)
				}
			}
		}
	}
}

// checkSent checks that what a source said was delivered under one ID each, in
// order and, to the officers, in the thread of its case.
func (s *simulation) checkSent(q *queue, sent *simEdge, caseOf map[string]string) {
	s.t.Helper()
	var got []string
	ids := map[string]string{}
	for _, del := range sent.made {
		text := ""
		switch ef := del.Effect.(type) {
		case flows.Relay:
			text = ef.Text
			if text != "" && s.cases[del.Thread] != caseOf[text] {
				s.t.Errorf("%q went to thread %q of case %q, it is of case %q", text, del.Thread, s.cases[del.Thread], caseOf[text])
			}
		case flows.Say:
			text = ef.Text
		}
		if !strings.HasPrefix(text, q.name+"/") {
			continue
		}
		switch id := ids[text]; {
		case id == "":
			ids[text] = del.ID
			got = append(got, text)
		case id != del.ID:
			s.t.Errorf("%q was delivered under two IDs", text)
		case sent.unique:
			s.t.Errorf("%q was made twice", text)
		}
	}
	if !slices.Equal(got, q.texts) {
		s.t.Errorf("%s: delivered %q, confirmed %q", q.name, got, q.texts)
	}
}

func (*simulation) lines(lines map[string]int, prefix string) (n int) {
	for line, times := range lines {
		if strings.HasPrefix(line, prefix) {
			n += times
		}
	}
	return n
}

// cut splits a line of a transcript into "from kind" and the text.
func cut(line string) (from, text string, ok bool) {
	fields := strings.SplitN(line, " ", 3)
	if len(fields) < 3 {
		return line, "", false
	}
	return fields[0] + " " + fields[1], fields[2], true
}
