package simulation

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"filippo.io/age"

	"suar/flows"
	"suar/internal/mattermosttest/standin"
	"suar/internal/seal"
	"suar/internal/telegramtest"
	"suar/storage"
	"suar/storage/storagetest"
)

// Keys are what all worlds share, because it is costly to make and does not
// change.
type keys struct {
	book       *flows.Book
	texts      texts
	vault      *seal.Vault
	recipients seal.Recipients
	identity   age.Identity
}

// A world is everything of one seed: the people, the officers, the two servers,
// the store and the processes of the hotline between them.
type world struct {
	*schedule
	*keys
	mutant mutant
	nature nature
	met    map[string]int

	telegram   *telegramtest.Server
	mattermost *standin.Server
	channel    string
	suar       account
	officers   []*officer
	admin      *officer
	people     []*person
	memory     *storagetest.Memory
	store      storage.Store

	started   int
	processes []*process
	restart   time.Time // when a missing process is started
	webhook   bool
	shared    bool // the store, by several processes
	poll      time.Duration
	down      map[string]time.Time // until when a side does not answer
	calmed    bool                 // nothing goes wrong any more
	words     int                  // of people and officers, to tell them apart

	facts  facts
	hidden [][]byte
	lull   time.Duration // in which nobody does anything
	harmed bool          // a call was ever cut off
	// mutations counts what a mutant met.
	mutations int
	faults    []string
}

// A nature is how much goes wrong in a world, in calls of a thousand.
type nature struct {
	store, telegram, mattermost int
	crash, suspended            int
	outages, jumps, deletions   bool
	far                         bool // clocks jump by hours
	replicas                    int
	acts                        int
	keen                        bool // few people, who know what they want
	returning                   bool // who ask for a code, and come back with it
	brief                       bool // little happens before all is mended
}

func newWorld(seed uint64, k *keys, m mutant, met map[string]int) *world {
	w := &world{
		schedule: newSchedule(seed), keys: k, mutant: m, met: met,
		down: map[string]time.Time{}, memory: storagetest.NewMemory(), facts: newFacts(),
	}
	w.store = &watched{Memory: w.memory, world: w}
	// Another hour of the day each time, so that every contact rule is met.
	time.Sleep(w.between(0, 24*time.Hour))
	w.start0()
	return w
}

// start0 draws what sort of world it is, and who is in it.
func (w *world) start0() {
	rate := oneOf(w.schedule, []int{0, 5, 20, 60, 150})
	w.nature = nature{
		store: w.rng.IntN(rate + 1), telegram: w.rng.IntN(rate + 1), mattermost: w.rng.IntN(rate + 1),
		crash: oneOf(w.schedule, []int{0, 0, 2, 6}), suspended: oneOf(w.schedule, []int{0, 0, 3, 10}),
		outages: w.chance(500), jumps: w.chance(300), far: w.chance(200), deletions: w.chance(250),
		replicas: 1 + w.rng.IntN(2), acts: 15 + w.rng.IntN(45),
	}
	if w.nature.keen = w.chance(350); w.nature.keen {
		w.nature.acts = 60
		if w.nature.returning = w.chance(400); w.nature.returning {
			w.nature.acts = 90
		}
	}
	// Most of what was ever found needed only a few things to happen; what needs
	// many is for the rest.
	if w.nature.brief = w.chance(800); w.nature.brief {
		w.nature.acts /= 6
	}
	w.shared = w.nature.replicas > 1
	w.webhook = w.nature.replicas > 1 || w.chance(500)
	w.poll = oneOf(w.schedule, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second})
	if w.chance(80) {
		w.poll = time.Second // as it is run
	}

	w.telegram = telegramtest.New(telegramtest.Options{
		Unserved: true, Unchecked: true, Keep: -1, Transport: inbound{w, "hook"},
	})
	var err error
	if w.mattermost, err = standin.New(); err != nil {
		panic(err)
	}
	w.mattermost.Transport = inbound{w, "press"}
	team := w.mattermost.AddTeam("embassy", "Embassy")
	w.channel = w.mattermost.AddChannel(team, "hotline", "Hotline")
	w.suar = w.account(standin.Person{Username: "suar", Bot: true})
	w.mattermost.Join(w.channel, w.suar.id)
	for _, name := range []string{"siti", "budi", "rina"}[:1+w.rng.IntN(3)] {
		o := &officer{world: w, account: w.account(standin.Person{Username: name})}
		o.notices, _ = w.mattermost.Notices(o.id)
		w.mattermost.Join(w.channel, o.id)
		w.officers = append(w.officers, o)
	}
	w.admin = &officer{world: w, account: w.account(standin.Person{Username: "admin", Admin: true})}
	w.admin.notices, _ = w.mattermost.Notices(w.admin.id)
	for i := range 1 + btoi(w.nature.returning) + w.rng.IntN(6-4*btoi(w.nature.keen)) {
		w.people = append(w.people, &person{world: w, n: i + 1, Person: w.telegram.Person(firstChat + int64(i))})
	}
	w.note("nature %+v webhook %v poll %v people %d officers %d", w.nature, w.webhook, w.poll, len(w.people), len(w.officers))
}

// firstChat is the id of the first person's chat: a canary.
const firstChat = 7_315_502_001

type account struct{ id, name, token string }

func (w *world) account(p standin.Person) account {
	id, token := w.mattermost.AddPerson(p)
	return account{id, p.Username, token}
}

// blame records that something is not as it must be.
func (w *world) blame(format string, args ...any) {
	fault := fmt.Sprintf(format, args...)
	w.note("FAULT %s", fault)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fault)
}

func (w *world) blamed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.faults) > 0
}

// run lets time go by: calls are made, and if act is given, people and officers
// act.
func (w *world) run(d time.Duration, act func() (next time.Duration)) {
	until := time.Now().Add(d)
	acting := time.Now()
	for !w.blamed() {
		synctest.Wait()
		w.supervise()
		ready, next := w.ready()
		if i := slices.IndexFunc(ready, (*point).idle); i >= 0 {
			w.releaseIdle(ready[i])
			continue
		}
		now := time.Now()
		if act != nil && !now.Before(acting) && (len(ready) == 0 || w.chance(50)) {
			wait := act()
			if wait < 0 {
				return
			}
			acting = time.Now().Add(wait)
			continue
		}
		if len(ready) > 0 {
			w.release(oneOf(w.schedule, ready))
			continue
		}
		if !now.Before(until) {
			return
		}
		wake := until
		for _, at := range []time.Time{next, w.restart} {
			if !at.IsZero() && at.After(now) && at.Before(wake) {
				wake = at
			}
		}
		if act != nil && acting.After(now) && acting.Before(wake) {
			wake = acting
		}
		w.idle(wake)
	}
}

// supervise starts processes in the place of those that have ended.
func (w *world) supervise() {
	live := w.processes[:0]
	for _, p := range w.processes {
		if !p.ended() {
			live = append(live, p)
		}
	}
	w.processes = live
	if len(live) >= w.nature.replicas {
		w.restart = time.Time{}
		return
	}
	now := time.Now()
	switch {
	case w.restart.IsZero() && w.started >= w.nature.replicas:
		wait := w.between(time.Second, 20*time.Second)
		if !w.calmed && w.chance(100) {
			wait = w.between(time.Minute, 20*time.Minute)
		}
		w.restart = now.Add(wait)
	case !now.Before(w.restart):
		w.start()
		w.restart = time.Time{}
	}
}

// releaseIdle lets a call go on that only asks whether there is something to do.
// How often that is asked at one instant depends on how goroutines run, so it
// must make no difference: it comes first, draws nothing and is not traced.
func (w *world) releaseIdle(x *point) {
	f := fate{verdict: through}
	lot := w.lot(x)
	switch {
	case w.calmed:
	case time.Now().Before(w.down["store"]):
		f.verdict = refused
	case int(lot%1000) < w.nature.store && !x.slow:
		f.verdict = []verdict{refused, lost, slow}[lot/1000%3]
		w.met["store "+string(f.verdict)]++
		if f.verdict == slow {
			w.delay(x, time.Duration(lot/3000%20_000)*time.Millisecond)
			return
		}
	}
	w.let(x, f)
}

// release lets one call go on, to what befalls it.
func (w *world) release(x *point) {
	if x.proc != nil && !w.calmed && !x.idle() && w.chance(w.nature.suspended) {
		w.suspend(x.proc)
		return
	}
	f := w.fate(x)
	if f.verdict == slow {
		w.met["slow"]++
		w.note("%s: waits %v", x.name(), f.wait)
		w.delay(x, f.wait)
		return
	}
	if strings.HasPrefix(x.key, "telegram") || strings.HasPrefix(x.key, "mattermost") {
		// A server needs its time; no two posts of Mattermost's share a
		// millisecond.
		time.Sleep(w.between(2*time.Millisecond, 20*time.Millisecond))
		synctest.Wait()
	}
	line := x.name() + ": " + string(f.verdict)
	if f.crashBefore {
		line += ", crash before"
	}
	if f.crashAfter {
		line += ", crash after"
	}
	if f.to != nil {
		line += " to " + f.to.name
	}
	w.note("%s", line)
	if f.verdict != through || f.crashBefore || f.crashAfter {
		w.met[x.side()+" "+string(f.verdict)]++
		w.harmed = true
	}
	if f.crashBefore || f.crashAfter {
		w.met["crash at a call"]++
	}
	w.let(x, f)
}

// side is what a call goes to.
func (x *point) side() string {
	side, _, _ := strings.Cut(x.key, " ")
	switch side {
	case "telegram", "mattermost", "hook", "press":
		return side
	}
	return "store"
}

// idle reports whether a call is one that is made again and again while nothing
// happens.
func (x *point) idle() bool {
	verb, _, _ := strings.Cut(x.key, " ")
	return slices.Contains([]string{"hold", "time", "waiting", "lease", "due", "sweep"}, verb)
}

// fate decides what befalls a call.
func (w *world) fate(x *point) fate {
	f := fate{verdict: through}
	side := x.side()
	if side == "hook" || side == "press" {
		var up []*process
		for _, p := range w.processes {
			if b, _ := p.parts(); b != nil && !p.ended() && !p.frozen.After(time.Now()) {
				up = append(up, p)
			}
		}
		if len(up) == 0 {
			return fate{verdict: refused}
		}
		f.to = oneOf(w.schedule, up)
		if !w.calmed && w.chance(20) {
			f.verdict = oneOf(w.schedule, []verdict{refused, lost})
		}
		return f
	}
	if w.calmed {
		return f
	}
	if time.Now().Before(w.down[side]) {
		return fate{verdict: oneOf(w.schedule, []verdict{refused, reset, page}[:1+2*btoi(side != "store")])}
	}
	if !x.idle() && w.chance(w.nature.crash) {
		f.crashBefore = w.chance(500)
		f.crashAfter = !f.crashBefore
		return f
	}
	rate := map[string]int{"store": w.nature.store, "telegram": w.nature.telegram, "mattermost": w.nature.mattermost}[side]
	if x.slow || !w.chance(rate) {
		return f
	}
	verdicts := []verdict{refused, lost, lost, slow}
	if side != "store" {
		verdicts = []verdict{refused, reset, lost, lost, half, gateway, page, broken, tooMany, slow}
	}
	f.verdict = oneOf(w.schedule, verdicts)
	switch f.verdict {
	case slow:
		f.wait = w.between(100*time.Millisecond, 20*time.Second)
	case tooMany:
		f.wait = time.Second * time.Duration(1+w.rng.IntN(30))
	}
	return f
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// skew is how wrong a new process's clock is.
func (w *world) skew() time.Duration {
	if !w.nature.jumps || w.calmed {
		return 0
	}
	if w.nature.far && w.started > 2 {
		return w.between(-3*time.Hour, 3*time.Hour)
	}
	return w.between(-10*time.Second, 10*time.Second)
}

// An inbound carries requests to a process of the hotline: what a balancer does.
type inbound struct {
	world *world
	side  string // "hook" or "press"
}

// RoundTrip implements http.RoundTripper.
func (in inbound) RoundTrip(r *http.Request) (*http.Response, error) {
	var body bytes.Buffer
	if r.Body != nil {
		_, _ = body.ReadFrom(r.Body)
		_ = r.Body.Close()
	}
	return in.pass(r, body.Bytes())
}

// leaks says what of a person's there is in bytes that must not hold any.
func (w *world) leaks(b []byte) string {
	for _, canary := range w.canaries() {
		if bytes.Contains(b, canary) {
			return "a canary"
		}
	}
	return ""
}
