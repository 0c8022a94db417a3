package storage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// replicated starts a master with a replica, and opens the store that asks for
// it: once by somebody who waits for it as long as it takes, and as often as
// open is called by somebody who does not.
func replicated(t *testing.T) (servers *redistest.Replicated, patient *storage.Redis, open func() *storage.Redis) {
	servers = redistest.StartReplicated(t, redistest.Options{Config: []string{
		// It counts whoever was there in the last hour.
		"min-replicas-to-write 1", "min-replicas-max-lag 3600", "repl-timeout 3600",
	}}, 1)
	config := storage.RedisConfig{
		Addresses: []string{servers.Master.Addr}, Password: servers.Master.Password,
		Replicas: 1, ReplicaTimeout: time.Minute,
	}
	patient = openRedis(t, config)
	return servers, patient, func() *storage.Redis {
		config.ReplicaTimeout = 20 * time.Millisecond
		return openRedis(t, config)
	}
}

// TestRedisReplicaFrozen freezes the only replica: nothing counts meanwhile,
// whoever says it, and all of it does when it is back.
func TestRedisReplicaFrozen(t *testing.T) {
	servers, patient, open := replicated(t)
	first, second := open(), open()
	begin := everything("tg:0")
	if err := patient.Commit(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	leased, err := patient.Lease(t.Context(), storage.LaneCaller, 1, at(0), at(1))
	if err != nil || len(leased) != 1 {
		t.Fatalf("leased %d, %v", len(leased), err)
	}
	next := storage.Commit{ID: begin.ID, Version: 1, Events: []string{"tg:1"}, State: []byte("next")}

	servers.Replicas[0].Freeze()
	unconfirmed := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, storage.ErrUnconfirmed) {
			t.Errorf("%s: got %v, want %v", what, err, storage.ErrUnconfirmed)
		}
	}
	unconfirmed("commit", first.Commit(t.Context(), next))
	// It is on the master, and that is not enough: neither for who repeats it
	// over the same connection nor for who does over one that wrote nothing.
	unconfirmed("the same again", first.Commit(t.Context(), next))
	unconfirmed("the same by another", second.Commit(t.Context(), next))
	unconfirmed("forget", first.Forget(t.Context(), begin.Transcript))
	unconfirmed("forget by another", open().Forget(t.Context(), begin.Transcript))
	unconfirmed("defer", first.Defer(t.Context(), leased[0].Lease, at(2)))
	_, err = first.Lease(t.Context(), storage.LaneOfficers, 1, at(0), at(1))
	unconfirmed("lease", err)
	// What is read, held and paced waits for nobody.
	if _, err := second.Load(t.Context(), begin.ID); err != nil {
		t.Errorf("load: %v", err)
	}
	if err := second.Hold(t.Context(), "ear", "me", at(0), at(1)); err != nil {
		t.Errorf("hold: %v", err)
	}
	if _, err := second.Pace(t.Context(), "all", at(0), time.Second, 0); err != nil {
		t.Errorf("pace: %v", err)
	}

	servers.Replicas[0].Thaw()
	if err := patient.Commit(t.Context(), next); !errors.Is(err, storage.ErrDuplicate) {
		t.Errorf("the same when the replica is back: got %v, want %v", err, storage.ErrDuplicate)
	}
	if err := patient.Forget(t.Context(), begin.Transcript); err != nil {
		t.Errorf("forget when the replica is back: %v", err)
	}
	// What was confirmed is on the replica, which says so itself.
	if got := servers.Replicas[0].Do("HGET", "{suar}:c:"+begin.ID, "v"); got != "2" {
		t.Errorf("the replica has version %v, want 2", got)
	}
}

// TestRedisUnconfirmedLease freezes the only replica: what is leased meanwhile is
// nobody's, and can be leased by the next as if it had not been.
func TestRedisUnconfirmedLease(t *testing.T) {
	servers, patient, open := replicated(t)
	hurried := open()
	if err := patient.Commit(t.Context(), everything("tg:0")); err != nil {
		t.Fatal(err)
	}
	late := storage.Commit{
		ID: "late", Events: []string{"tg:1"}, At: at(0), State: []byte("state"),
		Items: []storage.Item{{ID: "late", Lane: storage.LaneOfficers, Body: []byte("late")}},
	}
	servers.Replicas[0].Freeze()
	for range 3 {
		leased, err := hurried.Lease(t.Context(), storage.LaneOfficers, 10, at(0), at(60))
		if len(leased) != 0 || !errors.Is(err, storage.ErrUnconfirmed) {
			t.Errorf("leased %d, %v, want %v", len(leased), err, storage.ErrUnconfirmed)
		}
	}
	_, err := hurried.CommitAndLease(t.Context(), late, at(60), storage.LaneOfficers)
	if !errors.Is(err, storage.ErrUnconfirmed) {
		t.Errorf("commit: %v, want %v", err, storage.ErrUnconfirmed)
	}
	servers.Replicas[0].Thaw()
	leased, err := patient.Lease(t.Context(), storage.LaneOfficers, 10, at(0), at(60))
	if err != nil || len(leased) != 2 || leased[0].Item != "post" || leased[1].Item != "late" {
		t.Fatalf("leased %+v, %v, want both items", leased, err)
	}
	for _, l := range leased {
		if l.Tries != 1 {
			t.Errorf("%s: the try is number %d, want the first", l.Item, l.Tries)
		}
		if err := patient.Defer(t.Context(), l.Lease, at(1)); err != nil {
			t.Errorf("%s: %v", l.Item, err)
		}
	}
}

// TestRedisLeaseOfNothing asks no replica when nothing was leased: an idle
// hotline would be held up at each look.
func TestRedisLeaseOfNothing(t *testing.T) {
	servers, patient, _ := replicated(t)
	asked := func() (calls string) {
		t.Helper()
		for line := range strings.Lines(fmt.Sprint(servers.Master.Do("INFO", "commandstats"))) {
			if rest, ok := strings.CutPrefix(line, "cmdstat_wait:"); ok {
				calls, _, _ = strings.Cut(rest, ",")
			}
		}
		return calls
	}
	if err := patient.Commit(t.Context(), everything("tg:0")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0, 0} {
		before := asked()
		leased, err := patient.Lease(t.Context(), storage.LaneCaller, 10, at(0), at(60))
		if err != nil || len(leased) != want {
			t.Fatalf("leased %d, %v, want %d", len(leased), err, want)
		}
		if after := asked(); (after != before) != (want > 0) {
			t.Errorf("with %d leased the replicas were asked: %s before, %s after", want, before, after)
		}
	}
}

// TestRedisOnReplica turns the server into somebody else's replica under the
// store.
func TestRedisOnReplica(t *testing.T) {
	servers, _, _ := replicated(t)
	store := openRedis(t, storage.RedisConfig{
		Addresses: []string{servers.Master.Addr}, Password: servers.Master.Password, Prefix: newPrefix(),
	})
	if err := store.Commit(t.Context(), everything("tg:0")); err != nil {
		t.Fatal(err)
	}
	servers.Master.Do("CONFIG", "SET", "min-replicas-to-write", "0")
	servers.Master.Do("REPLICAOF", "127.0.0.1", "1")
	var answer *storage.RedisError
	err := store.Commit(t.Context(), storage.Commit{ID: "bob", State: []byte("x")})
	if !errors.As(err, &answer) || answer.Code != "READONLY" {
		t.Errorf("commit on a replica: got %v, want READONLY", err)
	}
}
