package traces

import (
	"strconv"
	"time"

	"suar/internal/engine"
)

// What follows is ExportTraceServiceRequest of OTLP 1.x, as JSON: ids in lower-case
// hexadecimal, 64-bit numbers as strings, enumerations as numbers.

type request struct {
	ResourceSpans []resourceSpans `json:"resourceSpans"`
}

type resourceSpans struct {
	Resource   resource     `json:"resource"`
	ScopeSpans []scopeSpans `json:"scopeSpans"`
}

type resource struct {
	Attributes []attribute `json:"attributes"`
}

type scopeSpans struct {
	Scope scope  `json:"scope"`
	Spans []span `json:"spans"`
}

type scope struct {
	Name string `json:"name"`
}

type span struct {
	TraceID    string      `json:"traceId"`
	SpanID     string      `json:"spanId"`
	ParentID   string      `json:"parentSpanId,omitempty"`
	Name       string      `json:"name"`
	Kind       int         `json:"kind"`
	Start      string      `json:"startTimeUnixNano"`
	End        string      `json:"endTimeUnixNano"`
	Attributes []attribute `json:"attributes"`
}

type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

type value struct {
	String string `json:"stringValue"`
}

// kindInternal is SPAN_KIND_INTERNAL.
const kindInternal = 1

func newSpan(s engine.Span, at place, parent string, began, ended time.Time, outcome string) span {
	out := span{
		TraceID: at.trace, SpanID: at.span, ParentID: parent, Name: s.Name, Kind: kindInternal,
		Start: strconv.FormatInt(began.UnixNano(), 10), End: strconv.FormatInt(ended.UnixNano(), 10),
		Attributes: []attribute{{"suar.outcome", value{outcome}}},
	}
	if s.Kind != "" {
		out.Name += " " + s.Kind
		out.Attributes = append(out.Attributes, attribute{"suar.kind", value{s.Kind}})
	}
	if s.Side != "" {
		out.Attributes = append(out.Attributes, attribute{"suar.side", value{s.Side}})
	}
	return out
}

func newRequest(version string, spans []span) request {
	return request{[]resourceSpans{{
		Resource:   resource{[]attribute{{"service.name", value{"suar"}}, {"service.version", value{version}}}},
		ScopeSpans: []scopeSpans{{scope{"suar/internal/engine"}, spans}},
	}}}
}
