package engine

import "context"

// A Tracer is told what the engine is doing and for how long, in names of ours only:
// kinds of events and effects, sides, outcomes; no id, no name, no word. It is called
// on the way of every event and by any number of goroutines, so that it must not
// block.
type Tracer interface {
	// Begin begins a span and returns the context of what is part of it. The function
	// that it returns ends the span, with what came of it; it is called once.
	Begin(ctx context.Context, s Span) (context.Context, func(outcome string))
}

// A Span is something that takes time.
type Span struct {
	// Name is handle, deliver or commit. Kind is that of the event or effect, Side
	// whose delivery it is; both may be empty.
	Name, Kind, Side string
}

// The names of spans.
const (
	spanHandle  = "handle"
	spanDeliver = "deliver"
	spanCommit  = "commit"
)

// noTracer tells nobody.
type noTracer struct{}

func (noTracer) Begin(ctx context.Context, _ Span) (context.Context, func(string)) {
	return ctx, func(string) {}
}

// outcomeOf is what an error makes of a span: done, or its class.
func outcomeOf(err error) string {
	if err == nil {
		return "done"
	}
	return class(err)
}
