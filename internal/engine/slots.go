package engine

import (
	"context"
	"sync"
	"time"

	"suar/storage"
)

// mostSettling is how many outcomes of a side may be on their way to the store
// before nothing more is leased.
const mostSettling = 512

// slots are the deliveries that a dispatcher may make at once. Who commits
// takes a slot before, and has the item that is then the next one leased in the
// same transaction: it is performed at once and costs no further write. What
// finds no slot waits in the store, and then its order counts: until the
// dispatcher has found nothing more there that can be leased, nobody goes past.
type slots struct {
	mu sync.Mutex
	// size is how many slots there are: least, or if the deliveries are quick as
	// many as end within pulse, up to most. So what is leased and cannot begin
	// keeps something more urgent waiting for no longer.
	size, least, most int
	// done counts the deliveries that ended since.
	done  int
	since time.Time
	// used are the slots taken, settling the jobs that have given theirs back
	// and are not ended.
	used, settling int
	// behind says that something may wait in the store; left counts how often
	// that was said.
	behind bool
	left   int
	open   bool
	// running are the slots taken and the jobs not ended.
	running sync.WaitGroup
}

// take takes up to n slots and returns how many.
func (s *slots) take(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open || s.settling >= mostSettling {
		return 0
	}
	n = max(min(n, s.size-s.used), 0)
	s.used += n
	s.running.Add(n)
	return n
}

// takeNow takes a slot for what is being committed, if nothing that waits goes
// before it.
func (s *slots) takeNow() bool {
	s.mu.Lock()
	behind := s.behind
	s.mu.Unlock()
	return !behind && s.take(1) == 1
}

// giveBack gives back n slots of which nothing was made.
func (s *slots) giveBack(n int) (behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
	s.running.Add(-n)
	return s.behind
}

// pulse is the time in which quick deliveries are counted.
const pulse = 100 * time.Millisecond

// delivered gives back the slot of a job that goes on.
func (s *slots) delivered(now time.Time) (behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	s.settling++
	s.done++
	if passed := now.Sub(s.since); passed >= pulse {
		s.size = max(s.least, min(s.most, int(int64(s.done)*int64(pulse)/int64(passed))))
		s.done, s.since = 0, now
	}
	return s.behind
}

// ended ends such a job.
func (s *slots) ended() (behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settling--
	s.running.Done()
	return s.behind
}

// leave says that something may wait in the store from now on.
func (s *slots) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind = true
	s.left++
}

// mark returns what caughtUp wants to know.
func (s *slots) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

// caughtUp says that nothing that could be leased was found in the store after
// the mark.
func (s *slots) caughtUp(mark int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == mark {
		s.behind = false
	}
}

// setOpen opens the slots, or closes them: then none can be taken any more.
func (s *slots) setOpen(open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Whoever ran before may have left something in the store.
	s.open, s.behind = open, true
}

// A job is a leased item to perform.
type job struct {
	storage.Leased
	// by, if not nil, is who has a slot for it.
	by *dispatcher
	// draft, if not nil, is the commit that leased the item; item, if that made it
	// as well, is the item as it was sealed. Nothing of them need be read again.
	draft *draft
	item  *item
	// behind is how many items were behind it in its lane after the draft, or
	// unknown.
	behind int
}

// unknown says that nobody counted.
const unknown = -1

// keep commits a draft and returns the jobs that can be performed at once, for
// which slots are taken: begin starts them. After an error that leaves open
// whether the commit was kept, what it may have leased is performed when that
// lease is over.
func (e *Engine) keep(ctx context.Context, d *draft) ([]job, error) {
	var lanes []storage.Lane
	var taken [laneCount]*dispatcher
	for lane := range storage.Lane(laneCount) {
		if s := e.serving[lane].Load(); s != nil && d.concerns(lane) && s.may() && s.slots.takeNow() {
			lanes, taken[lane] = append(lanes, lane), s
		}
	}
	var leased []storage.Leased
	var err error
	if len(lanes) > 0 {
		leased, err = e.store.CommitAndLease(ctx, d.Commit, d.At.Add(e.limits.Lease), lanes...)
	} else {
		err = e.store.Commit(ctx, d.Commit)
	}
	var started [laneCount]bool
	jobs := make([]job, len(leased))
	for i, l := range leased {
		jobs[i] = d.job(taken[l.Lane], l)
		started[l.Lane] = true
	}
	for lane, s := range taken {
		switch {
		case started[lane]:
		case s != nil:
			if s.slots.giveBack(1) {
				s.rouse()
			}
		case d.concerns(storage.Lane(lane)):
			if s := e.serving[lane].Load(); s != nil {
				s.slots.leave()
				s.rouse()
			}
		}
	}
	return jobs, err
}

// begin starts jobs that a commit leased.
func begin(jobs []job) {
	for _, j := range jobs {
		j.by.start(j)
	}
}

// laneCount is one more than the greatest lane.
const laneCount = int(storage.LanePager) + 1
