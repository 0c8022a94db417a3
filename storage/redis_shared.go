package storage

import (
	"context"
	"strconv"
	"time"
)

const (
	// forgetHold is how long the server keeps a hold beyond its end. The
	// callers' clocks say when it ends; the server's only measures the time.
	forgetHold = time.Hour
	// longestHold is how long it keeps one at most, by its own clock.
	longestHold = 10 * 365 * 24 * time.Hour
)

// Hold implements Store. It waits for no replica: what a failover loses, the
// holder takes again.
func (r *Redis) Hold(ctx context.Context, name, holder string, now, until time.Time) error {
	forget := min(max(until.Sub(now), 0), longestHold) + forgetHold
	return redisDone(r.call(ctx, r.scripts.hold,
		name, holder, redisInstantText(now), redisInstantText(until), forget.Milliseconds()))
}

// Pace implements Store. It waits for no replica.
func (r *Redis) Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error) {
	args := []any{queue, now.Unix(), now.Nanosecond()}
	for _, d := range []time.Duration{cost, burst} {
		args = append(args, int64(d/time.Second), int64(d%time.Second))
	}
	reply, err := r.call(ctx, r.scripts.pace, args...)
	if err != nil {
		return time.Time{}, err
	}
	texts, err := redisTexts(reply)
	if err != nil || len(texts) != 2 {
		return time.Time{}, errRedisReply
	}
	seconds, err := strconv.ParseInt(texts[0], 10, 64)
	if err != nil {
		return time.Time{}, errRedisReply
	}
	nanoseconds, err := strconv.ParseInt(texts[1], 10, 64)
	if err != nil {
		return time.Time{}, errRedisReply
	}
	if seconds == now.Unix() && nanoseconds == int64(now.Nanosecond()) {
		return now, nil
	}
	return time.Unix(seconds, nanoseconds).UTC(), nil
}
