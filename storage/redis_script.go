package storage

import (
	"context"
	"crypto/sha1" //nolint:gosec // It is how Redis names scripts.
	"embed"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed redis/*.lua
var redisSources embed.FS

// A redisScript is one call of the store. Its first line makes Redis refuse it
// before it starts if it could fail half way: a script that writes, on a
// replica, without memory, or when the disk or the replicas are missing; one
// that only reads is not refused for want of memory or disk. Nor is one for
// want of memory that brings what was accepted out, or frees memory: it may
// write beyond the server's maxmemory, and so does not fail half way either.
type redisScript struct {
	source, sha string
	// confirmed says that its writes count only when the replicas have them.
	confirmed bool
	// wrote tells from the answer whether there is anything to confirm; nil if
	// there always may be.
	wrote func(reply any) bool
}

// redisScripts are all of them.
type redisScripts struct {
	open, lease, unlease, postpone, forget, sweep, hold, pace *redisScript
	// commit brings something in. release is the same for a commit that brings
	// something out, and alarm for one that a due alarm is the reason of.
	commit, release, alarm *redisScript
	read, waiting, dump    *redisScript
	fill, clear            *redisScript
}

func newRedisScripts() *redisScripts {
	const (
		writes = "#!lua\n"
		// frees is for scripts that must run when the memory is full.
		frees = "#!lua flags=allow-oom\n"
		reads = "#!lua flags=no-writes\n"
	)
	script := func(confirmed bool, first string, files ...string) *redisScript {
		var b strings.Builder
		b.WriteString(first)
		for _, file := range files {
			text, err := redisSources.ReadFile("redis/" + file + ".lua")
			if err != nil {
				panic(err) // It is in the program.
			}
			b.Write(text)
		}
		sum := sha1.Sum([]byte(b.String())) //nolint:gosec // See the import.
		return &redisScript{b.String(), hex.EncodeToString(sum[:]), confirmed, nil}
	}
	all := &redisScripts{
		// What a failover loses of it shows as ErrLost, and nothing else is lost.
		open:    script(false, writes, "open"),
		commit:  script(true, writes, "prelude", "outbox", "index", "commit"),
		release: script(true, frees, "prelude", "outbox", "index", "commit"),
		alarm:   script(true, frees, "prelude", "outbox", "index", "due", "commit"),
		lease:   script(true, frees, "prelude", "outbox", "lease"),
		// Without it the lease runs out by itself.
		unlease:  script(false, frees, "prelude", "outbox", "unlease"),
		postpone: script(true, frees, "prelude", "outbox", "defer"),
		forget:   script(true, frees, "prelude", "index", "forget"),
		sweep:    script(true, frees, "prelude", "index", "sweep"),
		// Who holds what, and the queues, need not survive a failover.
		hold:    script(false, frees, "prelude", "outbox", "hold"),
		pace:    script(false, frees, "prelude", "pace"),
		read:    script(false, reads, "prelude", "read"),
		waiting: script(false, reads, "prelude", "waiting"),
		dump:    script(false, reads, "prelude", "dump"),
		fill:    script(true, writes, "prelude", "fill"),
		clear:   script(false, writes, "prelude", "outbox", "index", "clear"),
	}
	// Before the leased items it says how many are damaged.
	all.lease.wrote = func(reply any) bool {
		values, _ := reply.([]any)
		return len(values) > 1
	}
	return all
}

// A redisOnce is a command that the library sends once. A repetition is the
// caller's decision: only he knows what an answer to the second one means, when
// the first one's was lost. A lease or a turn would be lost with it.
type redisOnce struct{ *redis.Cmd }

// NoRetry implements redis.Cmder.
func (redisOnce) NoRetry() bool { return true }

// command is the script as a command. Sent by its name, it is refused where the
// server does not know it yet.
//
// It names two keys, of which one is never there. A Cluster that is moving the
// slot has some of its keys on one node and some on the other, and a script
// would break off at the first that is missing, half done. With a missing key
// among those that it names, it is refused before it starts, TRYAGAIN, on either
// node until all keys are on one.
func (r *redisServer) command(ctx context.Context, s *redisScript, whole bool, args []any) redisOnce {
	words := make([]any, 0, 6+len(args))
	if whole {
		words = append(words, "eval", s.source)
	} else {
		words = append(words, "evalsha", s.sha)
	}
	words = append(words, 2, r.base+"store", r.base+"never", r.identity)
	return redisOnce{redis.NewCmd(ctx, append(words, args...)...)}
}

// call runs a script. Unless the error is the server's, it may have done what
// it does. With ErrUnconfirmed comes what it answered.
func (r *redisServer) call(ctx context.Context, s *redisScript, args ...any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	reply, err := r.send(ctx, s, false, args)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		reply, err = r.send(ctx, s, true, args)
	}
	if err == nil {
		return reply, nil
	}
	var answered redis.Error
	if cluster, ok := r.client.(*redis.ClusterClient); ok && !errors.As(err, &answered) {
		// The node may be gone for good: the next call is to look who has its
		// place.
		cluster.ReloadState(ctx)
	}
	return reply, redisFailure(err)
}

func (r *redisServer) send(ctx context.Context, s *redisScript, whole bool, args []any) (any, error) {
	if s.confirmed && r.replicas > 0 {
		return r.confirm(ctx, s, whole, args)
	}
	c := r.command(ctx, s, whole, args)
	_ = r.client.Process(ctx, c)
	return c.Result()
}
