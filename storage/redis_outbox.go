package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Commit implements Store.
func (r *Redis) Commit(ctx context.Context, c Commit) error {
	_, err := r.commit(ctx, &c, time.Time{}, nil)
	return err
}

// CommitAndLease implements Store.
func (r *Redis) CommitAndLease(ctx context.Context, c Commit, until time.Time, lanes ...Lane) ([]Leased, error) {
	return r.commit(ctx, &c, until, lanes)
}

// noVersion is what no record has.
const noVersion = "-"

func (r *Redis) commit(ctx context.Context, c *Commit, until time.Time, lanes []Lane) ([]Leased, error) {
	follows := noVersion
	invalid := c.Validate()
	if invalid != nil {
		// That an event was committed before comes before any fault. A commit
		// that follows no version finds that out and does no more.
		c = &Commit{ID: c.ID, Events: c.Events[:min(len(c.Events), MaxEvents)]}
	} else if follows = ""; c.Version != 0 {
		follows = strconv.FormatUint(c.Version, 10)
	}
	script := r.scripts.commit
	// An outcome leaves room, and so does the end of a record. Without a record
	// there is none to end: then it is an event more to remember.
	if c.Ack != nil || c.State == nil && c.Version != 0 {
		script = r.scripts.release
	}
	args := r.commitArgs(c, follows, until, lanes)
	reply, err := r.call(ctx, script, args...)
	if full := (*RedisError)(nil); c.Version != 0 && errors.As(err, &full) && full.Code == "OOM" {
		// The alert that nobody took is to be repeated however full it is.
		reply, err = r.call(ctx, r.scripts.alarm, args...)
	}
	values, ok := reply.([]any)
	if err != nil {
		if len(values) > 1 {
			r.unlease(ctx, values[1:], c.At)
		}
		return nil, err
	}
	if !ok || len(values) == 0 {
		return nil, errRedisReply
	}
	err = redisDone(values[0], nil)
	switch {
	case invalid != nil && err == ErrConflict: //nolint:errorlint // It is what redisDone returns.
		return nil, invalid
	case err != nil:
		return nil, err
	}
	return redisLeased(values[1:])
}

// commitArgs are the arguments that commit.lua lists, from the second on.
func (r *Redis) commitArgs(c *Commit, follows string, until time.Time, lanes []Lane) []any {
	state, alarm, header := "", "", ""
	var names []string
	if c.State != nil {
		state = "1" + string(c.State)
		names = slices.Compact(slices.Sorted(slices.Values(c.Names)))
		if !c.Alarm.IsZero() {
			alarm = redisInstantText(c.Alarm)
		}
	}
	if c.Header != nil {
		header = "1" + string(c.Header)
	}
	var lane, item, token string
	if c.Ack != nil {
		lane, item, token = redisLane(c.Ack.Lane), c.Ack.Item, redisToken(c.Ack.Token)
	}
	args := make([]any, 0, 19+len(c.Events)+len(names)+4*len(c.Items)+len(c.Entries)+len(lanes))
	args = append(args,
		c.ID, follows, strconv.FormatUint(c.Version+1, 10), state, alarm, redisInstantText(c.At), redisNames(names),
		lane, item, token, c.Transcript, header, redisInstantText(until), r.asksReplicas(),
		len(c.Events), len(names), len(c.Items), len(c.Entries), len(lanes))
	for _, event := range c.Events {
		args = append(args, event)
	}
	for _, name := range names {
		args = append(args, name)
	}
	for _, i := range c.Items {
		args = append(args, redisLane(i.Lane), fmt.Sprintf("%03d", 255-int(i.Priority)), i.ID, i.Body)
	}
	for _, entry := range c.Entries {
		args = append(args, entry)
	}
	for _, l := range lanes {
		args = append(args, redisLane(l))
	}
	return args
}

func redisLane(l Lane) string { return strconv.Itoa(int(l)) }

func redisToken(t uint64) string { return fmt.Sprintf("%020d", t) }

// redisLeased reads leased heads as take in outbox.lua lists them.
func redisLeased(values []any) ([]Leased, error) {
	const each = 6
	texts, err := redisTexts(values)
	if err != nil || len(texts)%each != 0 {
		return nil, errRedisReply
	}
	var leased []Leased
	for t := range slices.Chunk(texts, each) {
		lane, err := strconv.ParseUint(t[0], 10, 8)
		if err != nil {
			return nil, errRedisReply
		}
		token, err := strconv.ParseUint(t[3], 10, 64)
		if err != nil {
			return nil, errRedisReply
		}
		tries, err := strconv.Atoi(t[4])
		if err != nil {
			return nil, errRedisReply
		}
		leased = append(leased, Leased{
			Lease: Lease{Conversation: t[1], Item: t[2], Lane: Lane(lane), Token: token},
			Body:  []byte(t[5]), Tries: tries,
		})
	}
	return leased, nil
}

// Lease implements Store. It costs no write when there is nothing to lease, and
// nobody waits for replicas then.
func (r *Redis) Lease(ctx context.Context, lane Lane, n int, now, until time.Time) ([]Leased, error) {
	if n <= 0 {
		return nil, ctx.Err()
	}
	reply, err := r.call(ctx, r.scripts.lease,
		redisLane(lane), n, redisInstantText(now), redisAfter(now), redisInstantText(until))
	values, ok := reply.([]any)
	if err != nil {
		if len(values) > 1 {
			r.unlease(ctx, values[1:], now)
		}
		return nil, err
	}
	if !ok || len(values) == 0 {
		return nil, errRedisReply
	}
	damaged, ok := values[0].(int64)
	if !ok {
		return nil, errRedisReply
	}
	leased, err := redisLeased(values[1:])
	if err == nil && damaged > 0 {
		err = fmt.Errorf("%w (%d heads)", errRedisLayout, damaged)
	}
	return leased, err
}

// unleaseTimeout is how long a call may take beyond its context to give back
// what it leased.
const unleaseTimeout = time.Second

// unlease gives back what was leased by a call that is to end with an error,
// because too few replicas know of it: otherwise nobody would perform it until
// the leases run out. It waits for no replica, and if it fails they do run out.
func (r *Redis) unlease(ctx context.Context, values []any, now time.Time) {
	leased, err := redisLeased(values)
	if err != nil {
		return
	}
	args := []any{redisInstantText(now)}
	for _, l := range leased {
		args = append(args, l.Conversation, redisLane(l.Lane), l.Item, redisToken(l.Token))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unleaseTimeout)
	defer cancel()
	_, _ = r.call(ctx, r.scripts.unlease, args...)
}

// Defer implements Store.
func (r *Redis) Defer(ctx context.Context, l Lease, until time.Time) error {
	return redisDone(r.call(ctx, r.scripts.postpone,
		l.Conversation, redisLane(l.Lane), l.Item, redisToken(l.Token), redisInstantText(until)))
}

// Waiting implements Store.
func (r *Redis) Waiting(ctx context.Context, lane Lane) (count int, next time.Time, err error) {
	reply, err := r.call(ctx, r.scripts.waiting, redisLane(lane))
	if err != nil {
		return 0, time.Time{}, err
	}
	texts, err := redisTexts(reply)
	if err != nil || len(texts) != 3 {
		return 0, time.Time{}, errRedisReply
	}
	if count, err = strconv.Atoi(texts[0]); err != nil {
		return 0, time.Time{}, errRedisReply
	}
	for _, text := range texts[1:] {
		if text == "" {
			continue
		}
		at, err := redisInstantOf(text)
		if err != nil {
			return 0, time.Time{}, err
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return count, next, nil
}
