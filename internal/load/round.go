package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"suar/internal/load/crowd"
	"suar/internal/load/rig"
	"suar/internal/telegramtest"
)

// A Round is what was measured of one program in one window of time.
type Round struct {
	Name string
	crowd.Figures
	// CPU is what the program used, Crowd what the simulated side used.
	CPU, Crowd time.Duration
	// RSS, Peak and Mapped are the program's memory at the end, in bytes.
	RSS, Peak, Mapped int64
	// Live is how many conversations were begun and stay.
	Live int
}

// StepRate is updates answered in a second.
func (r Round) StepRate() float64 { return float64(r.Steps) / r.Took.Seconds() }

// ConversationRate is conversations in a second: a ninth of the updates. Those
// that began and ended within the window are fewer in a short one, and come in
// waves.
func (r Round) ConversationRate() float64 { return r.StepRate() / steps }

// CPUPerThousand is the program's seconds of CPU for 1,000 updates.
func (r Round) CPUPerThousand() float64 { return r.CPU.Seconds() * 1000 / float64(max(r.Steps, 1)) }

// CallsPerStep is the program's calls for one update.
func (r Round) CallsPerStep() float64 {
	n := 0
	for _, calls := range r.Calls {
		n += calls
	}
	return float64(n) / float64(max(r.Steps, 1))
}

// A plan is what the crowd does in a round.
type plan struct {
	chats, cases, stay int
	rate               float64 // conversations a second
}

// patience is how long a program has to start, and to end.
const patience = 40 * time.Second

// silence is how long nothing may be answered: of 20,000 people who begin at once
// the first are answered late, on a machine that is busy with other things.
const silence = 3 * time.Minute

// atRest is how long after the last conversation began the memory is looked at: by
// then those who asked last have their answer, and what was free is given back.
const atRest = 10 * time.Second

// suar is a round of the program itself, fresh, on an empty store.
func (r *run) suar(ctx context.Context, name string, p plan) (_ Round, err error) {
	t, err := r.telegram()
	if err != nil {
		return Round{}, err
	}
	defer t.Close()
	dir, err := r.folder()
	if err != nil {
		return Round{}, err
	}
	site, err := rig.Lay(dir, rig.Needs{
		Telegram: t.URL(), TelegramToken: telegramtest.DefaultToken,
		Mattermost: r.Officers.URL, MattermostToken: r.Officers.Token, Channel: r.Officers.Channel, OnCall: r.Officers.OnCall,
		Passphrase: "invented words of a load test", Keys: dir,
		Edit: r.configure,
	})
	if err != nil {
		return Round{}, err
	}
	if r.Redis != "" {
		// An empty Redis is not taken for a first start by itself.
		if out, err := rig.Command(r.Binary, site.Data, "store", "begin", "--config", site.Config).CombinedOutput(); err != nil {
			return Round{}, errors.Join(fmt.Errorf("load: begin the store: %w", err), errors.New(string(out)))
		}
	}
	cmd := rig.Command(r.Binary, site.Data, "serve", "--config", site.Config)
	round, err := r.measure(ctx, t, cmd, dir, "http://"+site.Address+"/healthz", name, p)
	if err != nil {
		return round, err
	}
	if r.views == "" {
		err = r.keepViews(t)
	}
	presses := round.Steps * (len(t.Views()) - 1) / len(t.Views())
	r.acks = min(1, float64(round.Calls["answerCallbackQuery"])/float64(max(presses, 1)))
	return round, err
}

// bare is a round of the bare loop.
func (r *run) bare(ctx context.Context) (Round, error) {
	t, err := r.telegram()
	if err != nil {
		return Round{}, err
	}
	defer t.Close()
	dir, err := r.folder()
	if err != nil {
		return Round{}, err
	}
	cmd := rig.Command(r.Bare, dir, "-api", t.URL()+"/bot"+telegramtest.DefaultToken, "-journal", filepath.Join(dir, "journal"),
		"-script", r.views, "-acks", fmt.Sprint(r.acks))
	return r.measure(ctx, t, cmd, dir, "", "bare", plan{chats: r.Chats})
}

func (r *run) telegram() (*crowd.Telegram, error) {
	script, err := Intake()
	if err != nil {
		return nil, err
	}
	return crowd.New(crowd.Options{Token: telegramtest.DefaultToken, Script: script})
}

// measure runs a program under the crowd.
func (r *run) measure(ctx context.Context, t *crowd.Telegram, cmd *exec.Cmd, dir, health, name string, p plan) (round Round, err error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return round, fmt.Errorf("load: %w", err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	proc, err := rig.Start(cmd, r.core())
	if err != nil {
		return round, err
	}
	defer proc.Kill()
	if health != "" {
		late, stop := context.WithTimeout(ctx, patience)
		defer stop()
		if err := proc.Ready(late, health); err != nil {
			return round, errors.Join(err, said(log))
		}
	}
	t.Begin(crowd.Plan{Chats: p.chats, Rate: p.rate * steps, Cases: p.cases, Stay: p.stay})
	window := r.steady
	if p.stay > 0 {
		window = r.settled
	}
	round, err = window(ctx, t, proc)
	round.Name = name
	if err != nil {
		return round, errors.Join(err, said(log))
	}
	late, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if waiting := t.Stop(late); waiting > 0 {
		return round, errors.Join(fmt.Errorf("load: %s: %d chats got no answer", name, waiting), said(log))
	}
	if faults := append(t.Faults(), unfit(t.Samples())...); len(faults) > 0 {
		return round, fmt.Errorf("load: %s: %d faults, the first: %s", name, len(faults), faults[0])
	}
	r.round(round, p)
	return round, proc.Stop(late)
}

// steady measures for a while, after a while and after as many conversations as
// there are chats.
func (r *run) steady(ctx context.Context, t *crowd.Telegram, proc *rig.Process) (round Round, err error) {
	if err := pause(ctx, proc, r.Warm); err != nil {
		return round, err
	}
	// Everybody is somewhere else in the intake only after it was gone through.
	if err := r.until(ctx, t, proc, func() bool { return t.Ended() >= r.Chats }); err != nil {
		return round, err
	}
	before, mine, end, err := begin(t, proc)
	if err != nil {
		return round, err
	}
	if err := pause(ctx, proc, r.For); err != nil {
		return round, err
	}
	return finish(proc, before, mine, end)
}

// settled measures until everybody has come as far as they will, and then what
// the program keeps.
func (r *run) settled(ctx context.Context, t *crowd.Telegram, proc *rig.Process) (round Round, err error) {
	before, mine, end, err := begin(t, proc)
	if err != nil {
		return round, err
	}
	if err := r.until(ctx, t, proc, func() bool { return t.Staying() >= r.Live }); err != nil {
		return round, err
	}
	if round, err = finish(proc, before, mine, end); err != nil {
		return round, err
	}
	round.Live = t.Staying()
	// What is free and not yet given back is no part of the conversations.
	if err := pause(ctx, proc, max(r.Warm, atRest)); err != nil {
		return round, err
	}
	u, err := proc.Usage()
	round.RSS, round.Peak, round.Mapped = u.RSS, u.Peak, u.Mapped
	return round, err
}

// until waits for something that the crowd comes to, as long as it is answered.
func (r *run) until(ctx context.Context, t *crowd.Telegram, proc *rig.Process, done func() bool) error {
	answered, since := -1, time.Now()
	for !done() {
		if err := pause(ctx, proc, 50*time.Millisecond); err != nil {
			return err
		}
		if n := t.Answered(); n > answered {
			answered, since = n, time.Now()
		}
		if time.Since(since) > silence {
			return fmt.Errorf("load: nothing is answered any more after %d steps", answered)
		}
	}
	return nil
}

func begin(t *crowd.Telegram, proc *rig.Process) (before, mine rig.Usage, end func() crowd.Figures, err error) {
	if before, err = proc.Usage(); err != nil {
		return before, mine, nil, err
	}
	mine, err = rig.OwnUsage()
	return before, mine, t.Measure(), err
}

func finish(proc *rig.Process, before, mine rig.Usage, end func() crowd.Figures) (round Round, err error) {
	round.Figures = end()
	after, err := proc.Usage()
	if err != nil {
		return round, err
	}
	own, err := rig.OwnUsage()
	round.CPU, round.Crowd = after.CPU-before.CPU, own.CPU-mine.CPU
	round.RSS, round.Peak, round.Mapped = after.RSS, after.Peak, after.Mapped
	return round, err
}

// pause waits for d, unless the program ends.
func pause(ctx context.Context, proc *rig.Process, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-proc.Exited():
		return rig.ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// said is the end of what a program printed.
func said(log *os.File) error {
	raw, err := os.ReadFile(log.Name())
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return errors.New(string(raw[max(0, len(raw)-2000):]))
}

// unfit holds samples of what passed over the wire against the Bot API's schema.
func unfit(all []crowd.Sample) (faults []string) {
	for _, s := range all {
		if err := telegramtest.Valid(s.Definition, s.JSON); err != nil {
			faults = append(faults, s.Definition+": "+err.Error())
		}
	}
	return faults
}

// keepViews writes what Suar showed for the bare loop.
func (r *run) keepViews(t *crowd.Telegram) error {
	type view struct {
		Text     json.RawMessage `json:"text"`
		Keyboard json.RawMessage `json:"keyboard"`
	}
	var all []view
	for _, v := range t.Views() {
		if v.Text != nil {
			all = append(all, view{v.Text, v.Keyboard})
		}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	r.views = filepath.Join(r.Folder, "views.json")
	return os.WriteFile(r.views, raw, 0o600)
}

// configure changes a configuration to what the options say.
func (r *run) configure(site *rig.Site, config map[string]any) error {
	if r.Redis != "" {
		delete(config, "store")
		config["redis"] = map[string]any{
			"addresses": []string{r.Redis}, "password_file": r.RedisPassword, "prefix": fmt.Sprintf("load-%d-%d", os.Getpid(), r.n),
		}
		config["quarantine"] = filepath.Join(site.Data, "quarantine")
	}
	if r.Config == "" {
		return nil
	}
	raw, err := os.ReadFile(r.Config)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	var over map[string]any
	if err := yaml.Unmarshal(raw, &over); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	lay(config, over)
	return nil
}

// lay puts what is in over into config; null takes a key away.
func lay(config, over map[string]any) {
	for key, v := range over {
		old, isMap := config[key].(map[string]any)
		if inner, ok := v.(map[string]any); ok && isMap {
			lay(old, inner)
			continue
		}
		config[key] = v
	}
	maps.DeleteFunc(config, func(_ string, v any) bool { return v == nil })
}
