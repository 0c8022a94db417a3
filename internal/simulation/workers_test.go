package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
)

// A share is which of the seeds this process plays: the first, and then each
// step further on.
type share struct{ first, last, step uint64 }

// settings reads what is to be played.
//
//	SUAR_SEED     one seed, with its trace
//	SUAR_SEEDS    how many, from the first on
//	SUAR_FIRST    another first seed, or "random" for one that nobody chose
//	SUAR_WORKERS  in how many processes; one if it is not set
//	SUAR_STEP     of a worker: the distance of its seeds
func settings() (s share, workers int) {
	number := func(name string, otherwise uint64) uint64 {
		if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil && n > 0 {
			return n
		}
		return otherwise
	}
	if seed := number("SUAR_SEED", 0); seed > 0 {
		return share{seed, seed, 1}, 1
	}
	s = share{first: number("SUAR_FIRST", 1), step: number("SUAR_STEP", 1)}
	if os.Getenv("SUAR_FIRST") == "random" {
		s.first = 1_000_000 + rand.Uint64N(1_000_000_000)
	}
	s.last = s.first + number("SUAR_SEEDS", seeds) - 1
	return s, int(number("SUAR_WORKERS", 1))
}

// playShares plays the seeds in several processes, each on one core: what is
// random of the cryptography is one stream a process, so that two seeds cannot
// be played beside each other.
func playShares(t *testing.T, s share, workers int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	for i := range workers {
		running.Go(func() {
			first := s.first + uint64(i)
			if first > s.last {
				return
			}
			c := exec.CommandContext(ctx, self, "-test.run=^TestSimulation$", "-test.timeout=30m", "-test.v")
			c.Env = append(os.Environ(),
				"SUAR_WORKERS=1", "GOMAXPROCS=1", "GOGC=400",
				fmt.Sprint("SUAR_FIRST=", first), fmt.Sprint("SUAR_SEEDS=", s.last-first+1), fmt.Sprint("SUAR_STEP=", workers))
			out, err := c.CombinedOutput()
			if err != nil && ctx.Err() == nil {
				cancel()
				t.Errorf("%v\n%s", err, out)
				return
			}
			t.Logf("%s", out)
		})
	}
	running.Wait()
}
