package handoff

import (
	"sync"
	"time"
)

const (
	// defaultPace is how many actions a second an officer may do in the long run:
	// more than anybody who reads what the card says.
	defaultPace = 2.0
	// paceBurst is how many seconds' worth of them may come at once.
	paceBurst = 10
	// paceMost is how many officers a pace remembers for sure.
	paceMost = 1000
)

// A pace bounds how much each officer does. It is kept in this process: several
// processes allow as many times as much.
type pace struct {
	mu sync.Mutex
	// full is when everything that an officer has done so far would have come at
	// an even pace.
	full map[string]time.Time
}

// take counts what an officer did at an instant, and returns when its turn is: that
// instant, or later.
func (p *pace) take(officer string, at time.Time, rate float64) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.of(officer, at)
	p.full[officer] = full.Add(cost(rate))
	if turn := full.Add(-burst(rate)); turn.After(at) {
		return turn
	}
	return at
}

// back undoes a take.
func (p *pace) back(officer string, rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.full[officer] = p.full[officer].Add(-cost(rate))
}

// try is take for what is refused, and then not counted, if its turn is not now. It
// returns whether it is.
func (p *pace) try(officer string, now time.Time, rate float64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.of(officer, now)
	if full.Add(-burst(rate)).After(now) {
		return false
	}
	p.full[officer] = full.Add(cost(rate))
	return true
}

// of is an officer's full, not before an instant.
func (p *pace) of(officer string, at time.Time) time.Time {
	if p.full == nil {
		p.full = map[string]time.Time{}
	}
	if _, known := p.full[officer]; !known && len(p.full) >= paceMost {
		for who, full := range p.full {
			if full.Before(at) {
				delete(p.full, who)
			}
		}
	}
	if full := p.full[officer]; full.After(at) {
		return full
	}
	return at
}

// cost is how much an action takes of the time of an officer.
func cost(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }

// burst is how far an officer may be ahead: one action less than come at once.
func burst(rate float64) time.Duration { return paceBurst*time.Second - cost(rate) }
