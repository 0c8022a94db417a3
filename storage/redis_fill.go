package storage

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

const (
	// redisFillBytes and redisFillCommands are how much goes over at once, about.
	redisFillBytes    = 1 << 20
	redisFillCommands = 2000
	// redisFillValues is how many values one command has at most.
	redisFillValues = 500
)

// Fill implements Store. The pieces go over in large pipelines. Until the
// last one is there, nobody can open or use the store: see ErrFormat.
func (r *Redis) Fill(ctx context.Context, next func() (Piece, error)) error {
	f := &redisFill{redisServer: r.redisServer}
	f.identity = redisFilling + r.identity[len(redisFormat):]
	if err := redisDone(r.call(ctx, r.scripts.fill, f.identity, "")); err != nil {
		return err
	}
	// Sent once as a whole, the script goes by its name in the pipelines.
	if err := redisDone(f.call(ctx, f.scripts.clear, "")); err != nil {
		return err
	}
	for {
		p, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.Validate()
		}
		if err == nil {
			err = f.piece(ctx, &p)
		}
		if err != nil {
			return err
		}
	}
	if err := f.flush(ctx); err != nil {
		return err
	}
	// Ages and tokens are 1,000 times the counter, and a few.
	counter := strconv.FormatUint(f.highest/1000+1, 10)
	return redisDone(f.call(ctx, f.scripts.fill, r.identity, counter))
}

// A redisFill is a copy into a store that is under way.
type redisFill struct {
	redisServer
	commands []redisOnce
	bytes    int
	// highest is the greatest age or token so far.
	highest uint64
}

// piece takes the place of what earlier pieces said of the same names.
func (f *redisFill) piece(ctx context.Context, p *Piece) error {
	transcripts := slices.Sorted(maps.Keys(p.Transcripts))
	names := []any{p.ID}
	for _, name := range transcripts {
		names = append(names, name)
	}
	f.commands = append(f.commands, f.command(ctx, f.scripts.clear, false, names))

	var fields []any
	if p.Version != 0 {
		names := slices.Compact(slices.Sorted(slices.Values(p.Names)))
		fields = append(fields, "v", strconv.FormatUint(p.Version, 10), "s", p.State)
		if len(names) > 0 {
			fields = append(fields, "n", redisNames(names))
		}
		if !p.Alarm.IsZero() {
			at := redisInstantText(p.Alarm)
			fields = append(fields, "a", at)
			f.add(ctx, 2, "zadd", "alarms", 0, at+p.ID)
		}
		for _, name := range names {
			f.add(ctx, 2, "hset", "names", name, p.ID)
		}
	}
	var events []any
	for _, e := range p.Events {
		at := redisInstantText(e.At)
		fields = append(fields, "e"+e.Event, at)
		events = append(events, 0, at+string(appendName(nil, p.ID))+e.Event)
	}
	for _, name := range transcripts {
		if p.ID != "" {
			fields = append(fields, "t"+name, "")
		} else {
			f.add(ctx, 2, "zadd", "orphans", 0, name)
		}
		f.transcript(ctx, name, p.ID, p.Transcripts[name])
	}
	f.add(ctx, 2, "hset", "c:"+p.ID, fields...)
	f.add(ctx, 2, "zadd", "events", events...)
	f.outbox(ctx, p)
	if len(fields)+len(p.Items) > 0 {
		f.add(ctx, 2, "zadd", "ids", 0, p.ID)
	}
	if f.bytes < redisFillBytes && len(f.commands) < redisFillCommands {
		return nil
	}
	return f.flush(ctx)
}

func (f *redisFill) transcript(ctx context.Context, name, id string, t Transcript) {
	header := "0"
	if t.Header != nil {
		header = "1" + string(t.Header)
	}
	pages := []any{header, id}
	for _, entry := range t.Entries {
		pages = append(pages, entry)
	}
	f.add(ctx, 1, "rpush", "t:"+name, pages...)
	f.add(ctx, 2, "zadd", "transcripts", 0, name)
}

func (f *redisFill) outbox(ctx context.Context, p *Piece) {
	for _, lane := range Lanes() {
		var queue []any
		for _, q := range p.Items {
			if q.Lane != lane {
				continue
			}
			f.highest = max(f.highest, q.Age, q.Token)
			item := redisItem(q)
			if queue == nil {
				f.head(ctx, redisLane(lane), item, p.ID)
			}
			queue = append(queue, item, q.Body)
		}
		if queue != nil {
			f.add(ctx, 2, "rpush", "q"+redisLane(lane)+":"+p.ID, queue...)
			f.add(ctx, 2, "hincrby", "counts", redisLane(lane), len(queue)/2)
		}
	}
}

// head lists the head of a lane as list in outbox.lua does.
func (f *redisFill) head(ctx context.Context, lane, item, id string) {
	place := item[:redisPlace] + id
	if item[redisManner] == 'D' {
		f.add(ctx, 2, "zadd", "waiting"+lane, 0, item[redisInstant:redisItemID]+place)
		return
	}
	f.add(ctx, 2, "zadd", "ready"+lane, 0, place)
}

// add puts a command on its way, as several if it has many values. Of values
// that belong together there are so many.
func (f *redisFill) add(ctx context.Context, together int, name, key string, values ...any) {
	for part := range slices.Chunk(values, redisFillValues/together*together) {
		words := append([]any{name, f.base + key}, part...)
		for _, w := range words {
			switch w := w.(type) {
			case string:
				f.bytes += len(w)
			case []byte:
				f.bytes += len(w)
			}
		}
		f.commands = append(f.commands, redisOnce{redis.NewCmd(ctx, words...)})
	}
}

func (f *redisFill) flush(ctx context.Context) error {
	commands := f.commands
	f.commands, f.bytes = nil, 0
	if len(commands) == 0 {
		return nil
	}
	pipe := f.client.Pipeline()
	for _, c := range commands {
		_ = pipe.Process(ctx, c)
	}
	// The error is also in the commands.
	_, _ = pipe.Exec(ctx)
	for _, c := range commands {
		if err := c.Err(); err != nil {
			return redisFailure(err)
		}
	}
	return nil
}
