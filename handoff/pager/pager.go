// Package pager calls the officers a second way, outside of Mattermost: by a signed
// webhook and by e-mail. What leaves is a case's code, the number of the call and the
// time, and never more.
package pager

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/secret"
)

// A Config says by which ways officers are called: at least one.
type Config struct {
	Webhook *Webhook
	SMTP    *SMTP
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// A Webhook is an address that calls officers, such as that of a gateway for text
// messages.
type Webhook struct {
	// URL is https; http only on this machine.
	URL string
	// Secret signs what is sent: 16 bytes or more.
	Secret secret.Secret
}

// An SMTP is a server that takes the mails.
type SMTP struct {
	// Host is host:port. On port 465 the connection is TLS from its first byte, on
	// any other STARTTLS must be offered; Plain says that there is none, which is
	// for a server on this machine only.
	Host  string
	Plain bool
	From  string
	To    []string
	// User, if not empty, is who logs in with Password.
	User     string
	Password secret.Secret
}

// A Pager is the second way. It is for several goroutines.
type Pager struct {
	Config
	ways []way

	mu sync.Mutex
	// done are the ways that took a call of which another has not, so that only that
	// one tries again.
	done map[string]map[string]bool
}

// A way brings one call to the officers.
type way interface {
	name() string
	call(ctx context.Context, c call) error
	// try looks whether a call could be brought, and brings none.
	try(ctx context.Context) error
}

// A call is all that leaves.
type call struct {
	Case  string    `json:"case"`
	Level int       `json:"level"`
	At    time.Time `json:"at"`
	// id is the same whenever the same call is brought again.
	id string
}

// timeout is for how long one way may take.
const timeout = 15 * time.Second

// again is when a call is tried again that no way took.
const again = 20 * time.Second

// New returns a Pager, or every fault of the configuration at once.
func New(c Config) (*Pager, error) {
	p := &Pager{Config: c, done: map[string]map[string]bool{}}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Log == nil {
		return nil, errors.New("pager: Log is missing")
	}
	var faults []error
	if c.Webhook != nil {
		w, err := newHook(*c.Webhook, p.Now)
		faults = append(faults, err)
		p.ways = append(p.ways, w)
	}
	if c.SMTP != nil {
		m, err := newMailer(*c.SMTP)
		faults = append(faults, err)
		p.ways = append(p.ways, m)
	}
	if len(p.ways) == 0 {
		faults = append(faults, errors.New("pager: there is neither a webhook nor smtp"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

// Deliver brings a Summon by all ways. It is done when each of them took it; one that
// refuses for good is only logged, as long as another takes it. A call may be brought
// twice: after a crash nobody knows which way took it.
func (p *Pager) Deliver(ctx context.Context, dl engine.Delivery) (flows.Delivered, error) {
	e, ok := dl.Effect.(flows.Summon)
	if !ok {
		return flows.Delivered{}, &engine.Failure{
			Reason: flows.ReasonRejected, Final: true, Err: fmt.Errorf("pager: %T is no call by the second way", dl.Effect),
		}
	}
	if err := p.page(ctx, call{Case: e.Code, Level: e.Level, At: p.Now().UTC().Truncate(time.Second), id: dl.ID}); err != nil {
		return flows.Delivered{}, &engine.Failure{Err: err, After: again}
	}
	return flows.Delivered{}, nil
}

// page brings a call by each way that has not taken it yet, by all at once: one that
// hangs must not hold up another.
func (p *Pager) page(ctx context.Context, c call) error {
	outcomes := make([]error, len(p.ways))
	var calls sync.WaitGroup
	for i, w := range p.ways {
		if p.took(c.id, w.name()) {
			continue
		}
		calls.Go(func() {
			outcomes[i] = within(ctx, func(ctx context.Context) error { return w.call(ctx, c) })
		})
	}
	calls.Wait()
	var failed []error
	for i, err := range outcomes {
		if err != nil {
			p.Log.WarnContext(ctx, "the second way to call officers failed", "way", p.ways[i].name(), "class", reason(err))
			failed = append(failed, err)
			continue
		}
		p.take(c.id, p.ways[i].name())
	}
	if len(failed) == 0 || len(failed) < len(p.ways) && allFinal(failed) {
		p.forget(c.id)
		return nil
	}
	return errors.Join(failed...)
}

func within(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return do(ctx)
}

// Drill is the code in a call that tests the second way: no case has it.
const Drill = "DRILL"

// Drill brings one call by each way, with a code that no case has, and returns what
// came of each, by its name.
func (p *Pager) Drill(ctx context.Context) map[string]error {
	out := map[string]error{}
	for _, w := range p.ways {
		out[w.name()] = within(ctx, func(ctx context.Context) error {
			return w.call(ctx, call{id: rand.Text(), Case: Drill, At: p.Now().UTC().Truncate(time.Second)})
		})
	}
	return out
}

// Check looks whether each way could be used, without calling anybody: the
// connection, its certificate, and the login at the mail server.
func (p *Pager) Check(ctx context.Context) error {
	var all []error
	for _, w := range p.ways {
		if err := within(ctx, w.try); err != nil {
			all = append(all, fmt.Errorf("page.%s: %w", w.name(), err))
		}
	}
	return errors.Join(all...)
}

func (p *Pager) took(id, way string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done[id][way]
}

// mostHalf is how many calls are remembered that only one way took.
const mostHalf = 1000

func (p *Pager) take(id, way string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done[id] == nil {
		if len(p.done) >= mostHalf {
			clear(p.done) // Better twice than never.
		}
		p.done[id] = map[string]bool{}
	}
	p.done[id][way] = true
}

func (p *Pager) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.done, id)
}

// A failure is why a way did not take a call. It holds no word of the other side.
type failure struct {
	what string
	// final says that it would be the same again.
	final bool
	err   error
}

func (f *failure) Error() string { return f.what }
func (f *failure) Unwrap() error { return f.err }

func allFinal(all []error) bool {
	for _, err := range all {
		if f, ok := errors.AsType[*failure](err); !ok || !f.final {
			return false
		}
	}
	return true
}

// reason is what may be logged of an error.
func reason(err error) string {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.what
	}
	return "other"
}
