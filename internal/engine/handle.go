package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// ErrStep says that an event cannot be applied to its conversation: the flow
// fails on it or makes more of it than a commit may hold, both a programmer's
// error, or what the store keeps of this one conversation is damaged. The
// conversation is as it was, and the same event will most likely fail again,
// so that an edge that keeps it must not let it hold up those after it. The
// error that wraps it names the event's kind and a line of our source.
var ErrStep = errors.New("engine: the step failed")

// errNobody is a step on a conversation that must exist and does not.
var errNobody = errors.New("engine: no record")

// Handle implements [Handler]. Events of one conversation that are handed over
// at the same time are stepped one after another, in any order.
func (e *Engine) Handle(ctx context.Context, in Inbound) (err error) {
	ctx, end := e.tracer.Begin(ctx, Span{Name: spanHandle, Kind: flows.EventKind(in.Event)})
	defer func() { end(outcomeOf(err)) }()
	if in.Name == "" || in.ID == "" || in.Event == nil {
		return fmt.Errorf("%w: an event of kind %q without a name or an identity", ErrStep, flows.EventKind(in.Event))
	}
	st := step{events: []event{{in.Event, in.ID}}, caller: in.Caller, begins: in.Caller != ""}
	if in.Caller != "" {
		st.conversation = e.vault.Blind("conversation", in.Name)
	} else {
		id, err := e.resolve(ctx, in.Name)
		if errors.Is(err, storage.ErrNotFound) {
			return ErrUnknown
		}
		if err != nil {
			return e.unstepped(ctx, in.Event, e.damage(ctx, fmt.Errorf("engine: resolve: %w", err)))
		}
		if in.Conversation != "" && in.Conversation != id {
			return ErrUnknown
		}
		st.conversation, st.name = id, in.Name
	}
	_, err = e.apply(ctx, st)
	switch {
	case err == nil:
		e.counts.handled.Add(1)
	case errors.Is(err, errNobody):
		return ErrUnknown
	}
	return e.unstepped(ctx, in.Event, err)
}

// HandleAll hands over events of one person that came together, in their order:
// they need fewer commits, and less is done about them, than one by one. When it
// returns nil all are durable. After an error some may be; the caller hands them
// over to Handle, one by one, and learns which of them it is of.
func (e *Engine) HandleAll(ctx context.Context, ins []Inbound) (err error) {
	if len(ins) == 0 {
		return nil
	}
	first := ins[0]
	ctx, end := e.tracer.Begin(ctx, Span{Name: spanHandle, Kind: flows.EventKind(first.Event)})
	defer func() { end(outcomeOf(err)) }()
	st := step{caller: first.Caller, begins: true}
	for _, in := range ins {
		if in.Name == "" || in.ID == "" || in.Event == nil || in.Caller == "" || in.Name != first.Name || in.Caller != first.Caller {
			return errApart
		}
		st.events = append(st.events, event{in.Event, in.ID})
	}
	st.conversation = e.vault.Blind("conversation", first.Name)
	for len(st.events) > 0 {
		done, err := e.apply(ctx, st)
		if err != nil {
			return err
		}
		e.counts.handled.Add(int64(done.events))
		st.events = st.events[done.events:]
	}
	return nil
}

// unstepped notes an event that cannot be applied, for somebody to look at, and
// returns the error.
func (e *Engine) unstepped(ctx context.Context, ev flows.Event, err error) error {
	if errors.Is(err, ErrStep) {
		e.counts.damaged.Add(1)
		e.log.ErrorContext(ctx, "step failed", "event", flows.EventKind(ev), "error", err)
	}
	return err
}

// A step is what happened on its way into a conversation.
type step struct {
	conversation string
	// events are what happened, in order: one as a rule. Without one the commit
	// changes nothing but what ack, alarm and version say.
	events []event
	// caller replaces the person's address, if not empty.
	caller string
	// name, if not empty, is the name of the thread that the event came from. It
	// is not stepped if that is not the present case's any more: a reply in an
	// old thread is not meant for a new case.
	name string
	// begins says that the event may begin a conversation.
	begins bool
	// of, if not nil, points to the case that the event is of, nil for none. It
	// is not stepped if the conversation has another one now or is no more: all
	// that is left to do is the ack.
	of **seal.CaseID
	// lives says that of a conversation that is no more only the ack is left to
	// do.
	lives bool
	// ack is the lease that the event reports the outcome of.
	ack *storage.Lease
	// acked, if not nil, is the job that ack is the lease of.
	acked *job
	// ride, if not nil, is an earlier outcome that is committed along. It has
	// happened before the events.
	ride *ride
	// alarm replaces the state's alarm, if not zero.
	alarm time.Time
	// joins, if not nil, comes with a case from another conversation; handed says
	// that the one that left this conversation has arrived.
	joins  *joins
	handed bool
	// version, if not 0, is the only version that the event is meant for. At
	// another one there is nothing left to do.
	version uint64
}

// An event is one with its identity before it is blinded.
type event struct {
	flows.Event
	identity string
}

// kind names the step's event for an error or a log.
func (st *step) kind() string {
	if len(st.events) == 0 {
		return flows.EventKind(nil)
	}
	return flows.EventKind(st.events[0].Event)
}

// errApart says that events which came together must be applied one by one:
// some of them were before.
var errApart = errors.New("engine: not together")

// An applied is what came of a step.
type applied struct {
	// events counts the events that are durable, whether by this call or an
	// earlier one: not all of those that came together may fit into a commit.
	events int
	// alarm is the conversation's after the step, zero if it has none or this
	// call committed nothing.
	alarm time.Time
}

// apply steps what happened and commits what comes of it, again and again while
// others commit in between. When it returns nil it is durable.
func (e *Engine) apply(ctx context.Context, st step) (applied, error) {
	leave, err := e.batches.enter(ctx, st.conversation, len(st.events))
	if err != nil {
		return applied{}, fmt.Errorf("engine: before the commit: %w", err)
	}
	defer leave()
	// What this process remembers of the conversation is tried first: if it is
	// of the past, the store refuses the version. Only a commit comes of it;
	// whatever else follows from it is asked of the store again.
	c, remembered, waiting := e.memory.recall(st.conversation)
	found := remembered
	var kept *draft
	var jobs []job
	defer func() {
		e.memory.retain(st.conversation, kept, e.now)
		if waiting != nil {
			e.memory.remount(st.conversation, waiting)
		}
		begin(jobs) // What comes of them may look at what is remembered.
	}()
	if st.ack == nil { // A commit has one.
		st.ride = waiting
	}
	for {
		if !remembered {
			var err error
			if c, found, err = e.load(ctx, st.conversation); err != nil {
				return applied{}, err
			}
		}
		// What was read before the end of the context cannot be overtaken
		// unseen: see [Engine.Hold].
		if err := expired(ctx); err != nil {
			return applied{}, fmt.Errorf("engine: before the commit: %w", err)
		}
		d, err := e.draw(st, c, found)
		switch {
		case err == nil:
			jobs, err = e.keep(ctx, d)
		case remembered:
			err = storage.ErrConflict
		case errors.Is(err, errLate):
			return applied{events: len(st.events)}, nil
		case st.ride != nil && errors.Is(err, ErrStep):
			st.ride = nil // It must not be the event's fault.
			continue
		default:
			return applied{}, err
		}
		switch {
		case err == nil:
			kept = d
			e.meterCase(st, c.State.Case, d)
			if d.rode {
				waiting = nil
			}
			return applied{events: d.events, alarm: d.Alarm}, nil
		case errors.Is(err, storage.ErrLeaseLost) && d.rode:
			// Somebody else has the item; his outcome counts.
			st.ride, waiting = nil, nil
		case errors.Is(err, storage.ErrDuplicate) && len(st.events) > 1:
			return applied{}, errApart
		case errors.Is(err, storage.ErrDuplicate):
			return applied{events: len(st.events)}, nil
		case errors.Is(err, storage.ErrConflict):
			remembered = false
			e.memory.drop(st.conversation)
		case errors.Is(err, storage.ErrNameTaken):
			return applied{}, fmt.Errorf("%w: event %q: %w", ErrStep, st.kind(), err)
		default:
			e.memory.drop(st.conversation)
			return applied{}, e.damage(ctx, fmt.Errorf("engine: commit: %w", err))
		}
	}
}

// errLate says that a step was meant for an earlier version.
var errLate = errors.New("engine: the version is another")

// draw makes the commit of a step on a conversation. It returns errNobody or
// errLate if the step is not for it.
func (e *Engine) draw(st step, c conversation, found bool) (*draft, error) {
	switch {
	case c.Handing != nil && st.name != "" && st.name == threadName(c.Handing.Thread):
		return nil, errHanding
	case st.joins != nil && sameCase(presentCase(&c.State), &st.joins.of):
		return nil, errJoined
	case st.joins != nil && (c.Handing != nil || c.State.Case != nil && c.State.Case.Phase != flows.Ended):
		return nil, errBusy
	}
	if !found && !st.begins && !st.lives || st.name != "" && st.name != threadName(c.State.Thread()) {
		return nil, errNobody
	}
	if st.version != 0 && st.version != c.version {
		return nil, errLate
	}
	if present := presentCase(&c.State); st.of != nil && (!found || present != nil && !sameCase(present, *st.of)) || st.lives && !found {
		st.events = nil
	}
	d, err := e.next(st, c, found)
	if err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("%w: event %q: %w", ErrStep, st.kind(), err)
	}
	return d, nil
}

// next is what the events make of the conversation, as one commit.
func (e *Engine) next(st step, c conversation, found bool) (d *draft, err error) {
	// A panic is a fault of ours in one conversation. It must not take the
	// others down, and what it says may quote somebody.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: event %q, panic at %s", ErrStep, st.kind(), panicLine())
		}
	}()
	d = &draft{Commit: storage.Commit{ID: st.conversation, Version: c.version, At: e.now(), Ack: st.ack}, left: unknown}
	if j := st.acked; j != nil && j.behind >= 0 && j.draft != nil && j.draft.after.version == d.Version {
		d.left = j.behind // Nothing was committed since.
	}
	c.version++
	if st.caller != "" {
		c.Caller = st.caller
	}
	if st.handed {
		c.Handing = nil
	}
	if st.joins != nil {
		c.Tape = st.joins.tape
	}
	if st.ride != nil && found {
		// What it has to say, if anything, it says by a commit of its own.
		if t := e.happen(d.ID, c, st.ride.outcome, d.At); len(t.effects) == 0 && !t.after.State.Blank() {
			c, d.Ack, d.rode = t.after, &st.ride.lease, true
		}
	}
	var turns []*turn
	effects := 0
	for _, ev := range st.events[:min(len(st.events), storage.MaxEvents)] {
		t := e.happen(d.ID, c, ev, d.At)
		effects += len(t.effects)
		// A commit is of one transcript, and holds so much.
		if len(turns) > 0 && (effects > storage.MaxItems || !sameCase(t.before, presentCase(&t.after.State))) {
			break
		}
		// What an item's outcome is need not be remembered: there is one only.
		if st.ack == nil && ev.identity != "" {
			d.Events = append(d.Events, e.vault.Blind("event", ev.identity))
		}
		turns, c = append(turns, t), t.after
		if c.State.Blank() {
			break // What comes next begins anew.
		}
	}
	if err := e.transcribe(&d.Commit, turns); err != nil {
		return nil, fmt.Errorf("event %q: %w", st.kind(), err)
	}
	if len(turns) > 0 {
		c = turns[len(turns)-1].after
	}
	d.events, d.after = len(turns), c
	merge(turns)
	if err := d.seal(e, turns); err != nil {
		return nil, err
	}
	d.after.handed(turns)
	if st.joins != nil {
		if d.after.Second = ""; st.joins.second {
			d.after.Second = c.State.Thread()
		}
	}
	if c = d.after; c.State.Blank() && c.Handing == nil {
		return d, nil
	}
	d.found = true
	d.Alarm = c.State.Alarm()
	if !st.alarm.IsZero() {
		d.Alarm = st.alarm
	}
	d.after.alarm = d.Alarm
	d.Names = e.names(d.after)
	d.State, err = e.sealState(d.ID, &d.after)
	return d, err
}

// threadName is what the edge calls the conversation with that thread.
func threadName(thread flows.PostID) string { return "mm:" + string(thread) }

// panicLine names the line that panicked, as "flows/step.go:120". It is called
// by a deferred function that recovered.
func panicLine() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicked := false
	for {
		f, more := frames.Next()
		if panicked && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(f.File)), path.Base(f.File), f.Line)
		}
		panicked = panicked || f.Function == "runtime.gopanic"
		if !more {
			return "an unknown line"
		}
	}
}
