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
func (e *Engine) Handle(ctx context.Context, in Inbound) error {
	if in.Name == "" || in.ID == "" || in.Event == nil {
		return fmt.Errorf("%w: an event of kind %q without a name or an identity", ErrStep, flows.EventKind(in.Event))
	}
	st := step{event: in.Event, identity: in.ID, caller: in.Caller, begins: in.Caller != ""}
	if in.Caller != "" {
		st.conversation = e.vault.Blind("conversation", in.Name)
	} else {
		id, err := e.store.Resolve(ctx, e.vault.Blind("name", in.Name))
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
	_, err := e.apply(ctx, st)
	switch {
	case err == nil:
		e.counts.handled.Add(1)
	case errors.Is(err, errNobody):
		return ErrUnknown
	}
	return e.unstepped(ctx, in.Event, err)
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

// A step is one event on its way into a conversation.
type step struct {
	conversation string
	// event is nil for a commit that changes nothing but what ack, alarm and
	// version say.
	event flows.Event
	// identity is the event's identity before it is blinded; "" for none.
	identity string
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
	// ack is the lease that the event reports the outcome of.
	ack *storage.Lease
	// alarm replaces the state's alarm, if not zero.
	alarm time.Time
	// version, if not 0, is the only version that the event is meant for. At
	// another one there is nothing left to do.
	version uint64
}

// apply steps the event and commits what comes of it, again and again while
// others commit in between. It returns nil when the event is durable, whether
// by this call or an earlier one. alarm is the conversation's after the step,
// zero if it has none or this call committed nothing.
func (e *Engine) apply(ctx context.Context, st step) (alarm time.Time, err error) {
	for {
		c, found, err := e.load(ctx, st.conversation)
		if err != nil {
			return time.Time{}, err
		}
		// What was read before the end of the context cannot be overtaken
		// unseen: see [Engine.Hold].
		if err := expired(ctx); err != nil {
			return time.Time{}, fmt.Errorf("engine: before the commit: %w", err)
		}
		if !found && !st.begins || st.name != "" && st.name != threadName(c.State.Thread()) {
			return time.Time{}, errNobody
		}
		if st.version != 0 && st.version != c.version {
			return time.Time{}, nil
		}
		now := st
		if present := presentCase(c.State); st.of != nil && (!found || present != nil && !sameCase(present, *st.of)) {
			now.event = nil
		}
		commit, err := e.next(now, c)
		if err != nil {
			return time.Time{}, err
		}
		if err := commit.Validate(); err != nil {
			return time.Time{}, fmt.Errorf("%w: event %q: %w", ErrStep, flows.EventKind(now.event), err)
		}
		err = e.store.Commit(ctx, commit)
		switch {
		case err == nil:
			e.rouse(commit.Items)
			return commit.Alarm, nil
		case errors.Is(err, storage.ErrDuplicate):
			return time.Time{}, nil
		case errors.Is(err, storage.ErrConflict):
			if ctx.Err() != nil {
				return time.Time{}, fmt.Errorf("engine: commit: %w", context.Cause(ctx))
			}
		case errors.Is(err, storage.ErrNameTaken):
			return time.Time{}, fmt.Errorf("%w: event %q: %w", ErrStep, flows.EventKind(now.event), err)
		default:
			return time.Time{}, e.damage(ctx, fmt.Errorf("engine: commit: %w", err))
		}
	}
}

// next is what the event makes of the conversation, as one commit.
func (e *Engine) next(st step, c conversation) (commit storage.Commit, err error) {
	// A panic is a fault of ours in one conversation. It must not take the
	// others down, and what it says may quote somebody.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: event %q, panic at %s", ErrStep, flows.EventKind(st.event), panicLine())
		}
	}()
	at := e.now()
	old := c.version
	c.version++
	if st.caller != "" {
		c.Caller = st.caller
	}
	before := c.State
	var effects []flows.Effect
	if st.event != nil {
		m := flows.Moment{At: at, Fresh: e.fresh(st.conversation, st.identity)}
		var state flows.State
		state, effects = e.flow.Step(c.State, m, st.event)
		c.succeed(state)
	}
	commit = storage.Commit{
		ID:      st.conversation,
		Version: old,
		At:      at,
		Ack:     st.ack,
	}
	if st.identity != "" {
		commit.Events = []string{e.vault.Blind("event", st.identity)}
	}
	if err := e.transcribe(&commit, &c.envelope, effects, at); err != nil {
		return commit, fmt.Errorf("event %q: %w", flows.EventKind(st.event), err)
	}
	for n, ef := range effects {
		if ef.To() == flows.Archive {
			continue
		}
		it, err := e.newItem(st.conversation, st.identity, n, before, c, ef, at)
		if err != nil {
			return commit, fmt.Errorf("event %q: %w", flows.EventKind(st.event), err)
		}
		commit.Items = append(commit.Items, it)
	}
	if c.State.Blank() {
		return commit, nil
	}
	commit.Alarm = c.State.Alarm()
	if !st.alarm.IsZero() {
		commit.Alarm = st.alarm
	}
	if thread := c.State.Thread(); thread != "" {
		commit.Names = []string{e.vault.Blind("name", threadName(thread))}
	}
	commit.State, err = e.sealState(st.conversation, c)
	return commit, err
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

// rouse tells the dispatchers of this process that there is something to lease.
func (e *Engine) rouse(items []storage.Item) {
	for _, it := range items {
		e.rouseLane(it.Lane)
	}
}

func (e *Engine) rouseLane(lane storage.Lane) {
	select {
	case e.wake[lane] <- struct{}{}:
	default: // One token is enough.
	}
}
