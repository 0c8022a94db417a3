package storage_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// TestSentinelFailover kills the master under writers who wait for both
// replicas, with the users of the documented ACL.
func TestSentinelFailover(t *testing.T) {
	x := redistest.StartSentinel(t, redistest.Options{
		Users: documented(t), SentinelUser: "sentinel",
		Config: []string{"masteruser replica", "min-replicas-to-write 2", "min-replicas-max-lag 10"},
	}, 2)
	c := storage.RedisConfig{
		Addresses: x.Addresses, Master: redistest.MasterName, SentinelPassword: redistest.Password,
		Username: "suar", Password: redistest.Password, Prefix: newPrefix(), Replicas: 2, Timeout: time.Second,
	}
	crowd := startCrowd(t, openRedis(t, c))
	crowd.advance(40)
	old := x.KillMaster()
	now := x.NewMaster(old)
	// Until the old one is back there are too few replicas, and nothing counts.
	old.Restart()
	crowd.advance(5)
	crowd.stop(openRedis(t, c))
	if now == old {
		t.Error("the master was not replaced")
	}
}

// TestClusterFailover kills the node that has everything of the hotline, under
// writers who wait for its replica.
func TestClusterFailover(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{
		Users: documented(t), Config: []string{"masteruser replica", "min-replicas-to-write 1", "min-replicas-max-lag 10"},
	})
	prefix := newPrefix()
	c := storage.RedisConfig{
		Addresses: x.Addresses, Cluster: true, Username: "suar", Password: redistest.Password,
		Prefix: prefix, Replicas: 1, Timeout: time.Second,
	}
	crowd := startCrowd(t, openRedis(t, c))
	crowd.advance(40)
	old := x.KillOwner("{" + prefix + "}:store")
	now := x.Owner("{" + prefix + "}:store")
	old.Restart()
	crowd.advance(5)
	crowd.stop(openRedis(t, c))
	if now == old {
		t.Error("the owner was not replaced")
	}
}

// TestClusterGoesOnWithoutTheOwner asks for no replicas: the commits go on as
// soon as the replica has taken over, whether the old owner comes back or not.
// What was committed well before is there.
func TestClusterGoesOnWithoutTheOwner(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	prefix := newPrefix()
	r := openRedis(t, storage.RedisConfig{
		Addresses: x.Addresses, Cluster: true, Password: redistest.Password, Prefix: prefix, Timeout: time.Second,
	})
	first := everything("tg:1")
	if err := r.Commit(soon(t), first); err != nil {
		t.Fatal(err)
	}
	owner := x.Owner("{" + prefix + "}:store")
	for ctx := soon(t); owner.Do("WAIT", "1", "1000") != int64(1); {
		if ctx.Err() != nil {
			t.Fatal("the replica does not get what is written")
		}
	}
	owner.Kill()
	second := everything("tg:2")
	second.Version, second.Items, second.Transcript, second.Header, second.Entries = 1, nil, "", nil, nil
	if err := persist(soon(t), r, second); err != nil {
		t.Fatal(err)
	}
	second.Version, second.Events = 2, []string{"tg:3"}
	if err := persist(soon(t), r, second); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Load(soon(t), "canary"); err != nil || got.Version != 3 {
		t.Errorf("loaded %+v, %v", got, err)
	}
	if n, _, err := r.Waiting(soon(t), storage.LaneOfficers); err != nil || n != 1 {
		t.Errorf("%d items wait, %v", n, err)
	}
}

// persist repeats a commit as the engine and Telegram do, until it is certain.
// Its error is one that no repetition mends.
func persist(ctx context.Context, r storage.Store, c storage.Commit) error {
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := r.Commit(try, c)
		cancel()
		switch {
		case err == nil, errors.Is(err, storage.ErrDuplicate):
			return nil
		case ctx.Err() != nil, errors.Is(err, storage.ErrConflict), errors.Is(err, storage.ErrLost), errors.Is(err, storage.ErrNameTaken):
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A crowd commits, each writer to a conversation of its own, one event after
// the other, each until it is acknowledged.
type crowd struct {
	t       *testing.T
	ctx     context.Context
	stopped atomic.Bool
	group   sync.WaitGroup
	// acknowledged counts the events of each writer.
	acknowledged [writersOfACrowd]atomic.Int64
}

const writersOfACrowd = 8

func startCrowd(t *testing.T, r storage.Store) *crowd {
	// A failover takes its time on a busy machine.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	c := &crowd{t: t, ctx: ctx}
	for w := range writersOfACrowd {
		c.group.Go(func() {
			for n := int64(0); !c.stopped.Load(); n++ {
				if err := persist(ctx, r, crowdCommit(w, n)); err != nil {
					t.Errorf("writer %d, event %d: %v", w, n, err)
					return
				}
				c.acknowledged[w].Store(n + 1)
			}
		})
	}
	t.Cleanup(func() { c.stopped.Store(true); cancel(); c.group.Wait() })
	return c
}

// crowdCommit is the event n of a writer.
func crowdCommit(w int, n int64) storage.Commit {
	return storage.Commit{
		ID: fmt.Sprint("chat ", w), Version: uint64(n), Events: []string{fmt.Sprint("tg:", n)}, At: at(0),
		State: fmt.Append(nil, n+1),
		Items: []storage.Item{{ID: fmt.Sprint(w, ".", n), Lane: storage.LaneCaller, Body: fmt.Append(nil, n)}},
	}
}

// advance waits until every writer has so many more events acknowledged.
func (c *crowd) advance(n int64) {
	c.t.Helper()
	var goal [writersOfACrowd]int64
	for w := range goal {
		goal[w] = c.acknowledged[w].Load() + n
	}
	for w := range goal {
		for c.acknowledged[w].Load() < goal[w] {
			if c.ctx.Err() != nil || c.t.Failed() {
				c.t.Fatalf("writer %d stands still at %d events", w, c.acknowledged[w].Load())
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// stop ends the writers and compares what they were told with what another
// process finds: each event once, and each item once and in order.
func (c *crowd) stop(r storage.Store) {
	c.t.Helper()
	c.stopped.Store(true)
	c.group.Wait()
	next := make(map[string]int64)
	for {
		leased, err := r.Lease(c.ctx, storage.LaneCaller, 2*writersOfACrowd, at(0), at(60))
		if err != nil {
			c.t.Fatal(err)
		}
		if len(leased) == 0 {
			break
		}
		for _, l := range leased {
			if want := fmt.Sprint(next[l.Conversation]); string(l.Body) != want {
				c.t.Fatalf("%s: the item is %s, want %s", l.Conversation, l.Body, want)
			}
			next[l.Conversation]++
			last := next[l.Conversation]
			at, err := r.Load(c.ctx, l.Conversation)
			if err != nil {
				c.t.Fatal(err)
			}
			ack := storage.Commit{ID: l.Conversation, Version: at.Version, Events: []string{fmt.Sprint("ack:", last)}, State: at.State, Ack: &l.Lease}
			if err := persist(c.ctx, r, ack); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	var total int64
	for w := range c.acknowledged {
		told, id := c.acknowledged[w].Load(), fmt.Sprint("chat ", w)
		got, err := r.Load(c.ctx, id)
		if err != nil || string(got.State) != fmt.Sprint(told) || next[id] != told {
			c.t.Errorf("%s: %d events were acknowledged, found are state %s and %d items, %v", id, told, got.State, next[id], err)
		}
		total += told
	}
	c.t.Logf("%d acknowledged events of %d writers, all found once", total, writersOfACrowd)
}
