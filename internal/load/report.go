package load

import (
	"fmt"
	"io"
	"slices"
	"time"

	"suar/internal/load/rig"
)

// A report writes for a person at a terminal.
type report struct{ out io.Writer }

func (p report) line(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p report) head(r run) {
	p.line("%s", rig.Machine())
	if r.pinned {
		p.line("The program on core %d; Telegram, its %d chats and the driver on core %d.", subjectCore, r.Chats, crowdCore)
	} else {
		p.line("The program, Telegram and its %d chats share all cores.", r.Chats)
	}
	p.line("Officers' side: %s. A conversation is nine updates: /start, eight presses.", r.Officers.Name)
	store := "embedded"
	if r.Redis != "" {
		store = "Redis"
	}
	p.line("Store: %s.", store)
	if r.Cases > 0 {
		p.line("One of %d conversations ends as a case in Mattermost.", r.Cases)
	}
	p.line("Telegram's limits are off for this: telegram.rate and telegram.chat_rate are -1 in the configuration.")
	p.line("p50, p99 and longest: from when an update could be had until the bot's answer had arrived.")
	p.line("conv/s is a ninth of updates/s; whole counts the conversations that ended in the window. Measured for %v.", r.For)
	p.line("")
	p.line("%-12s %9s %9s %7s %9s %9s %9s %11s %8s %8s %7s %6s %6s", "", "updates/s", "conv/s", "whole", "p50", "p99", "longest",
		"CPU s/1,000", "RSS MB", "peak MB", "calls/u", "core", "crowd")
}

// round is one line. core is how busy the program's core was, crowd the other.
func (p report) round(r Round, how plan) {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	busy := func(d time.Duration) string { return fmt.Sprintf("%.0f %%", 100*d.Seconds()/r.Took.Seconds()) }
	mb := func(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }
	p.line("%-12s %9.0f %9.0f %7d %9s %9s %9s %11.3f %8s %8s %7.2f %6s %6s", r.Name, r.StepRate(), r.ConversationRate(), r.Conversations,
		ms(r.P50), ms(r.P99), ms(r.Longest), r.CPUPerThousand(), mb(r.RSS), mb(r.Peak), r.CallsPerStep(), busy(r.CPU), busy(r.Crowd))
	switch {
	case how.rate > 0:
		p.line("%-12s paced at %.0f conversations/s", "", how.rate)
	case how.stay > 0:
		p.line("%-12s %d conversations begun and kept; %s MB of the RSS are files: the program and the store", "", r.Live, mb(r.Mapped))
	}
}

// ratio compares the two programs, pair by pair.
func (p report) ratio(res Result) {
	if len(res.Bare) == 0 {
		return
	}
	var ratios []float64
	for i, b := range res.Bare {
		if b.Steps > 0 {
			ratios = append(ratios, res.Suar[i].StepRate()/b.StepRate())
		}
	}
	if len(ratios) == 0 {
		return
	}
	slices.Sort(ratios)
	p.line("%-12s %.2f of the updates/s of the bare receive-journal-fsync-send loop, which neither seals nor knows a flow", "suar / bare", ratios[len(ratios)/2])
	p.line("%-12s (median of %d pairs, %.2f to %.2f; %.2f if CPU alone counted, whatever else the machine does)", "", len(ratios), ratios[0],
		ratios[len(ratios)-1], median(res.Bare, Round.CPUPerThousand)/median(res.Suar, Round.CPUPerThousand))
}

// median is the middle of what is measured in several rounds.
func median(all []Round, of func(Round) float64) float64 {
	values := make([]float64, len(all))
	for i, r := range all {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
