package metrics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"suar/flows"
	"suar/internal/engine"
)

// A Sample is a metric's value at the moment of a scrape. Labels are the values of
// its labels, in the catalogue's order.
type Sample struct {
	Name   string
	Value  float64
	Labels []string
}

// scrapeTime bounds a scrape's questions to the store: Prometheus waits for ten
// seconds by itself.
const scrapeTime = 5 * time.Second

// A Set is the metrics of one process. It implements [engine.Meter].
type Set struct {
	registry *prometheus.Registry

	entered, calls, deliveries, commits *prometheus.CounterVec
	delivery                            *prometheus.HistogramVec
	acknowledgement, commit             prometheus.Histogram
}

// New returns the metrics of a process that was built from version. read is asked at
// each scrape for what is not counted as it happens; its samples must be of the
// catalogue. It may be called concurrently.
func New(version string, read func(ctx context.Context) []Sample) *Set {
	s := &Set{registry: prometheus.NewRegistry()}
	r := &reader{read: read, version: version, descs: map[string]*prometheus.Desc{}, kinds: map[string]prometheus.ValueType{}}
	for _, m := range Catalogue() {
		opts := prometheus.Opts{Name: m.Name, Help: m.Help + "."}
		counter := func() *prometheus.CounterVec {
			c := prometheus.NewCounterVec(prometheus.CounterOpts(opts), m.labels())
			m.each(func(values []string) { c.WithLabelValues(values...) })
			s.registry.MustRegister(c)
			return c
		}
		histogram := func() *prometheus.HistogramVec {
			h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.Name, Help: opts.Help, Buckets: m.Buckets}, m.labels())
			m.each(func(values []string) { h.WithLabelValues(values...) })
			s.registry.MustRegister(h)
			return h
		}
		switch m.Name {
		case CasesEntered:
			s.entered = counter()
		case Calls:
			s.calls = counter()
		case Deliveries:
			s.deliveries = counter()
		case StoreCommits:
			s.commits = counter()
		case Delivery:
			s.delivery = histogram()
		case Acknowledgement:
			s.acknowledgement = histogram().WithLabelValues().(prometheus.Histogram)
		case StoreCommit:
			s.commit = histogram().WithLabelValues().(prometheus.Histogram)
		default:
			r.add(m)
		}
	}
	s.registry.MustRegister(r, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

// labels are the names of a metric's labels.
func (m Metric) labels() []string {
	names := make([]string, len(m.Labels))
	for i, l := range m.Labels {
		names[i] = l.Name
	}
	return names
}

// each calls f with all values that the labels can have together: a series that has
// not happened yet counts 0, so that its first increase is seen.
func (m Metric) each(f func(values []string)) {
	values := make([]string, len(m.Labels))
	var choose func(i int)
	choose = func(i int) {
		if i == len(m.Labels) {
			f(slices.Clone(values))
			return
		}
		for _, v := range m.Labels[i].Values {
			values[i] = v
			choose(i + 1)
		}
	}
	choose(0)
}

// Entered implements [engine.Meter].
func (s *Set) Entered(p flows.Phase) { s.entered.WithLabelValues(string(p)).Inc() }

// Acknowledged implements [engine.Meter].
func (s *Set) Acknowledged(after time.Duration) { s.acknowledgement.Observe(after.Seconds()) }

// Called implements [engine.Meter].
func (s *Set) Called(level int) { s.calls.WithLabelValues(levelName(level)).Inc() }

// levelName is whom a call of that level is for: handoff calls who is on duty twice
// before it rises.
func levelName(level int) string {
	switch {
	case level <= 2:
		return "duty"
	case level == 3:
		return "second"
	case level == 4:
		return "lead"
	}
	return "everybody"
}

// Performed implements [engine.Meter].
func (s *Set) Performed(side flows.Side, o engine.Outcome, after time.Duration) {
	name := SideName(side)
	s.deliveries.WithLabelValues(name, string(o)).Inc()
	if o == engine.OutcomeDelivered {
		s.delivery.WithLabelValues(name).Observe(after.Seconds())
	}
}

// SideName is a side as a label.
func SideName(side flows.Side) string {
	switch side {
	case flows.Caller:
		return "caller"
	case flows.Keeper:
		return "keeper"
	case flows.Pager:
		return "pager"
	case flows.Officers, flows.Archive:
	}
	return "officers"
}

// Committed implements [engine.Meter].
func (s *Set) Committed(took time.Duration, answer engine.Answer) {
	s.commits.WithLabelValues(string(answer)).Inc()
	s.commit.Observe(took.Seconds())
}

// A reader collects what is read at each scrape.
type reader struct {
	read    func(ctx context.Context) []Sample
	version string
	descs   map[string]*prometheus.Desc
	kinds   map[string]prometheus.ValueType
}

func (r *reader) add(m Metric) {
	r.descs[m.Name] = prometheus.NewDesc(m.Name, m.Help+".", m.labels(), nil)
	r.kinds[m.Name] = prometheus.GaugeValue
	if m.Kind == Counter {
		r.kinds[m.Name] = prometheus.CounterValue
	}
}

// Describe implements prometheus.Collector.
func (r *reader) Describe(c chan<- *prometheus.Desc) {
	for _, d := range r.descs {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (r *reader) Collect(c chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), scrapeTime)
	defer stop()
	for _, s := range append(r.read(ctx), Sample{BuildInfo, 1, []string{r.version}}) {
		desc := r.descs[s.Name]
		if desc == nil {
			err := fmt.Errorf("metrics: %q is not one that is read", s.Name)
			c <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
			continue
		}
		m, err := prometheus.NewConstMetric(desc, r.kinds[s.Name], s.Value, s.Labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(desc, err)
		}
		c <- m
	}
}
