package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much memory the Go runtime may have; the pages of the program itself, about
// 32 MB, are not among it.
const (
	// memoryAtRest keeps the process below 100 MB. So much is enough for any
	// hotline: Telegram lets a bot send 30 messages a second.
	memoryAtRest = 60 << 20
	// memoryAtWork is for when thousands of updates come in a second. Within
	// memoryAtRest a sixth of the processor would go into collecting garbage,
	// within this a thirtieth.
	memoryAtWork = 128 << 20
	// memoryBeside is what the runtime needs beside the heap that is in use, and
	// the least that is left for garbage: however much is in use, the limit is
	// never so near that collecting does not end.
	memoryBeside = 26 << 20

	// workRate is how many bytes a second are allocated at work: an update leaves
	// about 40 KB behind.
	workRate = 8 << 20
	// memoryPause is between two looks, and quietLooks how many of them in a row
	// see no work before memory is given back.
	memoryPause = 250 * time.Millisecond
	quietLooks  = 5
)

// A breath decides how much memory the process may have.
type breath struct {
	limit int64
	quiet int // looks without work, in a row
}

// next takes how many bytes are in use and how many were allocated since the last
// look. settled says that work has ended.
func (b *breath) next(inUse, allocated uint64) (limit int64, settled bool) {
	working := b.quiet < quietLooks
	b.quiet++
	if float64(allocated) > workRate*memoryPause.Seconds() {
		b.quiet = 0
	}
	b.limit = memoryAtRest
	if b.quiet < quietLooks {
		b.limit = memoryAtWork
	}
	b.limit = max(b.limit, int64(inUse)+int64(inUse)/4+memoryBeside)
	return b.limit, working && b.quiet >= quietLooks
}

// settleMemory lets garbage be collected when a limit is near rather than when
// the heap has doubled: what is in use is small, and each update leaves some
// behind. The limit is low at rest and higher at work, until ctx ends. Whoever
// set GOGC or GOMEMLIMIT has their way.
func settleMemory(ctx context.Context, env lookup) {
	_, percent := env("GOGC")
	_, limit := env("GOMEMLIMIT")
	if percent || limit {
		return
	}
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(memoryAtRest)
	go breathe(ctx)
}

func breathe(ctx context.Context) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	before := samples[1].Value.Uint64()
	b := breath{limit: memoryAtRest, quiet: quietLooks}
	for pause(ctx, memoryPause) == nil {
		metrics.Read(samples)
		was := b.limit
		allocated := samples[1].Value.Uint64()
		limit, settled := b.next(samples[0].Value.Uint64(), allocated-before)
		before = allocated
		if limit != was {
			debug.SetMemoryLimit(limit)
		}
		if settled {
			debug.FreeOSMemory() // Nothing else would give it back soon.
		}
	}
}
