// Package load measures the program as it ships: it starts it between a
// Telegram with thousands of simulated chats and a Mattermost, lets the chats
// go through the intake, and says how many updates it answers in a second, how
// long each takes, and what that costs. Beside it, in the same run, it measures
// the least that a durable bot can do.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"suar/internal/load/rig"
)

// Officers are a Mattermost and the bot's account in it.
type Officers struct {
	URL, Token, Channel string
	OnCall              []string
	// Name is what the report calls it.
	Name string
}

// Options say what is measured. The zero value of each but Out and Officers is
// what the name in brackets says.
type Options struct {
	// Chats is how many talk at once (2,000), Cases lets one of so many
	// conversations end as a case (none).
	Chats, Cases int
	// Warm and For are how long each round runs before it is measured, and
	// while it is (3 s, 10 s).
	Warm, For time.Duration
	// Rounds is how often Suar and the bare loop run in turn (1).
	Rounds int
	// Rate is conversations a second for the round that is not full (half of
	// what Suar did); negative leaves the round out.
	Rate float64
	// Live is how many conversations are begun and stay (none).
	Live int
	// Shared leaves the programs on all cores. Otherwise the measured one has
	// a core of its own, and everything else another.
	Shared bool
	// Alone leaves the bare loop out.
	Alone bool
	// Binary is suar, built already (built here); Bare the bare loop.
	Binary, Bare string
	// Redis is the address of a Redis that keeps the conversations, under a
	// prefix of its own for each round, and RedisPassword the file of its
	// password (the embedded store).
	Redis, RedisPassword string
	// Config is a YAML file that is laid over the configuration (none).
	Config string
	// Folder is where the files are (a temporary one, erased in the end).
	Folder string
	// Officers is the Mattermost.
	Officers Officers
	// Out gets the report.
	Out io.Writer
}

// The cores of a run that is not shared.
const (
	subjectCore = 0
	crowdCore   = 1
)

// A Result is what a run measured.
type Result struct {
	Suar, Bare []Round
	Half       *Round
	Live       *Round
}

// Run measures and reports. It returns an error if a program failed, or an
// answer did not come: figures of such a run mean nothing.
func Run(ctx context.Context, o Options) (_ Result, err error) {
	o = o.withDefaults()
	if o.Folder == "" {
		if o.Folder, err = os.MkdirTemp("", "suar-load-"); err != nil {
			return Result{}, fmt.Errorf("load: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.Folder)) }()
	}
	if o.Binary == "" {
		if o.Binary, err = rig.Build(ctx, o.Folder, "suar", "suar/cmd/suar"); err != nil {
			return Result{}, err
		}
	}
	if o.Bare == "" && !o.Alone {
		if o.Bare, err = rig.Build(ctx, o.Folder, "bare", "suar/internal/load/cmd/bare"); err != nil {
			return Result{}, err
		}
	}
	pinned := false
	if !o.Shared && runtime.NumCPU() > 1 {
		if undo := rig.PinSelf(crowdCore); undo != nil {
			pinned = true
			defer undo()
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		}
	}
	r := run{Options: o, pinned: pinned, report: report{o.Out}}
	r.head(r)
	return r.all(ctx)
}

func (o Options) withDefaults() Options {
	if o.Chats == 0 {
		o.Chats = 2000
	}
	if o.Warm == 0 {
		o.Warm = 3 * time.Second
	}
	if o.For == 0 {
		o.For = 10 * time.Second
	}
	if o.Rounds == 0 {
		o.Rounds = 1
	}
	return o
}

// A run is one call of Run.
type run struct {
	Options
	report
	pinned bool
	views  string // the file with what Suar shows
	acks   float64
	n      int // rounds so far
}

func (r *run) all(ctx context.Context) (res Result, err error) {
	for range r.Rounds {
		one, err := r.suar(ctx, "suar", plan{chats: r.Chats, cases: r.Cases})
		if err != nil {
			return res, err
		}
		res.Suar = append(res.Suar, one)
		if r.Alone {
			continue
		}
		if one, err = r.bare(ctx); err != nil {
			return res, err
		}
		res.Bare = append(res.Bare, one)
	}
	r.ratio(res)
	if r.Rate >= 0 {
		rate := r.Rate
		if rate == 0 {
			rate = median(res.Suar, Round.ConversationRate) / 2
		}
		half, err := r.suar(ctx, "suar, paced", plan{chats: r.Chats, cases: r.Cases, rate: rate})
		if err != nil {
			return res, err
		}
		res.Half = &half
	}
	if r.Live > 0 {
		live, err := r.suar(ctx, "suar, live", plan{chats: r.Live, stay: 6})
		if err != nil {
			return res, err
		}
		res.Live = &live
	}
	return res, nil
}

// folder makes a folder for one round.
func (r *run) folder() (string, error) {
	r.n++
	dir := filepath.Join(r.Folder, fmt.Sprintf("round-%d", r.n))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("load: %w", err)
	}
	return dir, nil
}

func (r *run) core() int {
	if r.pinned {
		return subjectCore
	}
	return -1
}
