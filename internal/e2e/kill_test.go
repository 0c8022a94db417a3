package e2e

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"suar/internal/mattermosttest"
)

// TestKill is TestTwoHundredPeople with a process that dies all the time: it is
// killed at random moments, those of its start included, and started again at
// once. Nothing is lost, and nothing is twice in Mattermost; to a chat every
// reply comes at least once.
func TestKill(t *testing.T) {
	t.Parallel()
	people, kills := 60, count(t, 100)
	if testing.Short() {
		people, kills = 12, 10
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	h := newHotline(t, mattermosttest.Real(t), unchecked)
	c := newCrowd(t, h, people, 20)
	c.crashes = true
	var killing atomic.Bool
	killing.Store(true)
	// The conversations go on for as long as there is killing.
	c.more = killing.Load
	h.start()

	done := make(chan struct{})
	began := time.Now()
	go func() {
		defer close(done)
		defer killing.Store(false)
		for range kills {
			// Most lives are long enough to do something, and some end while
			// they begin.
			alive := time.Duration(random.ExpFloat64() * float64(1200*time.Millisecond))
			time.Sleep(min(alive, 5*time.Second))
			h.kill()
			h.spawn(h.command("serve", "--config", h.config))
		}
	}()
	c.live(patientFor(t, lasting(kills)))
	<-done
	h.ready()
	c.settled()
	h.stop()
	c.verify()
	c.transcripts()
	t.Logf("%d people, %d messages, %d kills in %v", people, c.messages(), kills, time.Since(began).Round(time.Second))
}

// count is how often a test kills: so often, or as often as SUAR_KILLS says.
func count(t testing.TB, otherwise int) int {
	t.Helper()
	text := os.Getenv("SUAR_KILLS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SUAR_KILLS=%s: want a number of kills", text)
	}
	return n
}

// lasting is when a test with so many kills gives up.
func lasting(kills int) time.Duration {
	return 2*patience + time.Duration(kills)*5*time.Second
}
