package main

import (
	"net"
	"net/url"
)

// metricsConfig is the listener for those who run the hotline: metrics, health and,
// if wanted, profiles. Without the section there is none.
type metricsConfig struct {
	// Listen is host:port; empty is defaultMetrics.
	Listen string `yaml:"listen"`
	// Public says that the deployer knows that Listen is reached from other machines.
	Public bool `yaml:"public"`
	// Pprof serves Go's profiles beneath /debug/pprof/, on a loopback address only.
	Pprof bool `yaml:"pprof"`
}

const defaultMetrics = "127.0.0.1:9464"

// metrics checks where the metrics are served.
func (l *loading) metrics() {
	m := l.c.Metrics
	if m == nil {
		return
	}
	if m.Listen == "" {
		m.Listen = defaultMetrics
	}
	_, _, err := net.SplitHostPort(m.Listen)
	switch here := err == nil && isLoopback(m.Listen); {
	case err != nil:
		l.fault("metrics.listen: %q is no address; write host:port, such as %s", m.Listen, defaultMetrics)
	case m.Listen == l.c.Listen:
		l.fault("metrics.listen: %s is where people's messages and presses arrive; the metrics need an address of their own, such as %s", m.Listen, defaultMetrics)
	case !here && m.Pprof:
		l.fault("metrics.pprof: profiles are served on a loopback address only, and %s is none; take out pprof, or listen at %s", m.Listen, defaultMetrics)
	case !here && !m.Public:
		l.fault("metrics.listen: %s is reached from other machines, and whoever reads the metrics sees when people write; listen at %s, or say metrics.public: true if only those who run the hotline reach it", m.Listen, defaultMetrics)
	}
}

// tracesConfig is an OpenTelemetry collector that is told how long what takes.
type tracesConfig struct {
	// URL is where it takes traces by OTLP over HTTP, with the path.
	URL string `yaml:"url"`
	// Public says that the deployer knows that URL is not on this machine.
	Public bool `yaml:"public"`
}

// traces checks where the traces are sent.
func (l *loading) traces() {
	t := l.c.Traces
	if t == nil {
		return
	}
	const such = "http://127.0.0.1:4318/v1/traces"
	u, err := url.Parse(t.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https"):
		l.fault("traces.url: want where the collector takes traces, such as %s", such)
	case !isLoopback(net.JoinHostPort(u.Hostname(), "0")) && !t.Public:
		l.fault("traces.url: %s is not this machine, and whoever reads the traces sees when people write; send them to %s, or say traces.public: true if only those who run the hotline read them", u.Host, such)
	}
}
