package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// A Flow says what happens next. [flows.Book] is one.
type Flow interface {
	// Step returns the state after the event, and the effects to perform. It is
	// total and deterministic, and never modifies s.
	Step(s flows.State, m flows.Moment, ev flows.Event) (flows.State, []flows.Effect)
	// Wanted reports whether an effect that waited is still to be performed in
	// the state as it is now. It is asked for Say, Amend, Fetch, Refer and Summon, and for Open,
	// Relay, Page, Offer and Present; one that is not wanted becomes Undelivered for ReasonUnwanted.
	Wanted(s flows.State, at time.Time, ef flows.Effect) bool
	View(s flows.State, at time.Time) flows.View
	Card(s flows.State, at time.Time) flows.Card
	// Form and Preview are what an officer fills in before an action; false says
	// that it is not offered. See [flows.Book.Form].
	Form(s flows.State, at time.Time, o flows.Officer, action flows.ActionName, choice string) (flows.Form, bool)
	Preview(s flows.State, at time.Time, o flows.Officer, action flows.ActionName, choice string, values map[string]string) string
}

// A Config is what an Engine is made of. Flow, Store, Vault, Officers and Log
// must be there.
type Config struct {
	Flow  Flow
	Store storage.Store
	Vault *seal.Vault
	// Officers returns to whom a case that opens now is sealed. It is asked
	// once for each new case; it must not block, and never be empty.
	Officers func() seal.Recipients
	// Now is the clock; nil is one that follows Wall but does not jump with it.
	Now func() time.Time
	// Wall is the system's clock; nil is time.Now.
	Wall func() time.Time
	// Rand is where the cases' keys come from; nil is crypto/rand.
	Rand io.Reader
	// Cost is what a check word's sum costs; the zero value is
	// seal.DefaultPhraseCost. Sums of another cost stay valid, but what is looked
	// up by its sum is only found at the cost at which it was noted.
	Cost seal.PhraseCost
	// Log gets kinds, sides, counts and statuses; never an id, a name or a
	// word of anybody.
	Log *slog.Logger
	// Meter is told what happens, Tracer how long it takes; nil is nobody.
	Meter  Meter
	Tracer Tracer
	Limits Limits
}

// Limits are the engine's numbers. A zero one is its default.
type Limits struct {
	// Callers and Officers are how many deliveries run at once on each side;
	// 16 and 4. Telegram takes about 30 messages a second, and Mattermost answers
	// each the slower the more there are: with more an alert only waits longer.
	// Callers are up to 16 times as many while they are so quick that all of them
	// end within a tenth of a second.
	Callers, Officers int
	// Lease is for how long an item is held, 30 s. Delivery is how long one
	// delivery may take, two thirds of Lease; it must stay below Lease, so that
	// its outcome can be committed while the lease holds.
	Lease, Delivery time.Duration
	// Backoff is the wait after a first failure, 200 ms. It doubles up to
	// MaxBackoff, 30 s.
	Backoff, MaxBackoff time.Duration
	// Poll is how often the store is asked what other processes left to do,
	// 1 s.
	Poll time.Duration
	// Grace is how long the deliveries under way may go on after Run's context
	// ends, 6 s: a service manager that asks a process to end waits for ten.
	Grace time.Duration
	// Remember is for how long the identities of events are kept, 48 h.
	Remember time.Duration
}

func (l Limits) withDefaults() Limits {
	number := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	span := func(n *time.Duration, d time.Duration) {
		if *n <= 0 {
			*n = d
		}
	}
	number(&l.Callers, 16)
	number(&l.Officers, 4)
	span(&l.Lease, 30*time.Second)
	span(&l.Delivery, l.Lease*2/3)
	span(&l.Backoff, 200*time.Millisecond)
	span(&l.MaxBackoff, 30*time.Second)
	span(&l.Poll, time.Second)
	span(&l.Grace, 6*time.Second)
	span(&l.Remember, 48*time.Hour)
	return l
}

// ErrWrongKey says that the store was written with another vault key. Nothing
// was touched.
var ErrWrongKey = errors.New("engine: the vault key does not open this store: give the process the key that the store was begun with")

// An Engine is the loop between the edges, flows and storage. Handle may be
// called at any time after New, also while Run is not running: what it commits
// waits in the store. Any number of engines, in any number of processes, may
// share one store.
type Engine struct {
	flow     Flow
	store    storage.Store
	vault    *seal.Vault
	officers func() seal.Recipients
	now      func() time.Time
	clock    *clock // nil if Config.Now was given
	// auditing is full while somebody appends to the trail. It is no mutex: who waits
	// gives up with the context.
	auditing chan struct{}
	machine  func() time.Time
	server   *serverClock // nil if the store has no clock
	rand     io.Reader
	cost     seal.PhraseCost
	// keeper performs what is the keeper's: compute. Tests set another.
	keeper   func(flows.Effect) (flows.Event, error)
	turns    turns
	log      *slog.Logger
	meter    Meter
	tracer   Tracer
	ages     ages
	troubles troubles
	limits   Limits

	freshKey, effectKey *seal.Keyed

	memory  memory
	batches batches
	// serving are the dispatchers that run, by lane.
	serving [laneCount]atomic.Pointer[dispatcher]
	// unsettled counts outcomes that the store has not taken yet. While there
	// is one nothing is leased, so that what was performed is not performed
	// again by this process.
	unsettled atomic.Int32
	// failed holds why Run must end.
	failed chan error
	counts counts
}

// New returns an engine after it has made sure that the vault's key is the
// store's. It returns ErrWrongKey if it is not.
func New(ctx context.Context, c Config) (*Engine, error) {
	switch {
	case c.Flow == nil:
		return nil, errors.New("engine: New without a flow")
	case c.Store == nil:
		return nil, errors.New("engine: New without a store")
	case c.Vault == nil:
		return nil, errors.New("engine: New without a vault")
	case c.Officers == nil:
		return nil, errors.New("engine: New without officers")
	case c.Log == nil:
		return nil, errors.New("engine: New without a log")
	}
	if c.Meter == nil {
		c.Meter = noMeter{}
	}
	if c.Tracer == nil {
		c.Tracer = noTracer{}
	}
	limits := c.Limits.withDefaults()
	if limits.Delivery >= limits.Lease {
		return nil, errors.New("engine: a delivery must be shorter than a lease")
	}
	if len(c.Officers().All()) == 0 {
		return nil, errors.New("engine: no recipients: nobody could read a case")
	}
	e := &Engine{
		flow:      c.Flow,
		store:     bounded{c.Store, c.Meter, c.Tracer},
		vault:     c.Vault,
		officers:  c.Officers,
		now:       c.Now,
		rand:      c.Rand,
		cost:      c.Cost,
		log:       c.Log,
		meter:     c.Meter,
		tracer:    c.Tracer,
		limits:    limits,
		freshKey:  seal.NewKeyed(c.Vault.Derive("engine fresh")),
		effectKey: seal.NewKeyed(c.Vault.Derive("engine effect")),
		failed:    make(chan error, 1),
		auditing:  make(chan struct{}, 1),
	}
	_, e.memory.alone = c.Store.(sole)
	e.ages.alone = e.memory.alone
	if e.now == nil {
		e.now = time.Now
	}
	if e.rand == nil {
		e.rand = rand.Reader
	}
	e.keeper = e.compute
	if e.cost == (seal.PhraseCost{}) {
		e.cost = seal.DefaultPhraseCost()
	}
	if err := e.checkKey(ctx); err != nil {
		return nil, err
	}
	if err := e.setClock(ctx, c); err != nil {
		return nil, err
	}
	return e, nil
}

// keyRecord is the conversation that tells whether the vault's key is the
// store's. Conversations of people have other names: hexadecimal digits.
const keyRecord = "vault"

// checkKey opens the key record, and makes it if the store has none.
func (e *Engine) checkKey(ctx context.Context) error {
	for {
		rec, err := e.store.Load(ctx, keyRecord)
		if err == nil {
			_, err := e.vault.Open("check", keyRecord, rec.State)
			if errors.Is(err, seal.ErrNewerEpoch) {
				return fmt.Errorf("engine: %w", err) // It is the store's, from before.
			}
			if err != nil {
				return fmt.Errorf("%w (%w)", ErrWrongKey, err)
			}
			return nil
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("engine: check the vault key: %w", err)
		}
		err = e.store.Commit(ctx, storage.Commit{
			ID:    keyRecord,
			At:    e.now(),
			State: e.vault.Seal("check", keyRecord, nil),
		})
		// On a conflict another process was first: its record is checked.
		if err != nil && !errors.Is(err, storage.ErrConflict) {
			return fmt.Errorf("engine: record the vault key: %w", err)
		}
	}
}

// fresh derives a moment's random bytes from the event, so that they are the
// same whenever the same event is stepped again and nobody can guess them.
func (e *Engine) fresh(conversation, event string) [16]byte {
	return sum(e.freshKey, conversation, event)
}

// itemID names the nth effect of an event. It is the same whenever the same
// event is stepped again, and no other event's, also after the conversation
// was erased and began again: versions start anew then, identities do not.
func (e *Engine) itemID(conversation, event string, n int) string {
	code := sum(e.effectKey, conversation, event, strconv.Itoa(n))
	return hex.EncodeToString(code[:])
}

// sum returns 16 bytes of HMAC-SHA256 over the parts, each with its length.
func sum(key *seal.Keyed, parts ...string) (code [16]byte) {
	var room [256]byte
	text := room[:0]
	for _, p := range parts {
		text = strconv.AppendInt(text, int64(len(p)), 10)
		text = append(append(text, ':'), p...)
	}
	mac := key.Sum(text)
	copy(code[:], mac[:])
	return code
}
